import { describe, expect, it } from 'vitest'
import { AnswerParser } from '../../../core/http1/answer-parser.ts'
import { bytesOf, readAnswer, type AnswerBytes, type ReadAnswer } from './read-answer.ts'

interface Case extends Omit<AnswerBytes, 'pieces'> {
  readonly what: string
  readonly text: string
}

const accepted: readonly (Case & { readonly reads: Partial<ReadAnswer> })[] = [
  {
    what: 'a body with Content-Length',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Own:\t a b \t\r\n\r\nhello',
    reads: {
      status: 200,
      statusText: 'OK',
      rawHeaders: ['Content-Length', '5', 'X-Own', 'a b'],
      body: 'hello',
      reusable: true,
    },
  },
  { what: 'no body', text: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', reads: { body: '', reusable: true } },
  {
    what: 'a body up to the end of the connection',
    text: 'HTTP/1.1 200 OK\r\n\r\nall\r\n\r\nof it',
    reads: { body: 'all\r\n\r\nof it', reusable: false },
  },
  {
    what: 'chunks with extensions in both cases of digits',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5;a="b\t\\"c";d;e=f\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n',
    reads: { body: 'hello0123456789', trailers: [], reusable: true },
  },
  {
    what: 'trailers',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0;x\r\nX-Sum: 42\r\nx-Other:\r\n\r\n',
    reads: { body: 'a', trailers: ['X-Sum', '42', 'x-Other', ''], reusable: true },
  },
  { what: 'no reason phrase', text: 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', reads: { statusText: '' } },
  { what: 'an empty reason phrase', text: 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', reads: { statusText: '' } },
  {
    what: 'bytes beyond ASCII in phrase and value',
    text: 'HTTP/1.1 200 tr\u00e8s bien\r\nX: caf\u00e9\r\nContent-Length: 0\r\n\r\n',
    reads: { statusText: 'tr\u00e8s bien', rawHeaders: ['X', 'caf\u00e9', 'Content-Length', '0'] },
  },
  {
    what: 'a status that nobody knows',
    text: 'HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n',
    reads: { status: 799 },
  },
  {
    what: 'HEAD, whose Content-Length counts nothing',
    method: 'HEAD',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    reads: { body: '', reusable: true },
  },
  {
    what: 'HEAD with chunks announced',
    method: 'HEAD',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    reads: { body: '', reusable: true },
  },
  { what: '204', text: 'HTTP/1.1 204 No Content\r\n\r\n', reads: { status: 204, body: '', reusable: true } },
  {
    what: '204 with a length, behind which a body may follow',
    text: 'HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n',
    reads: { status: 204, body: '', reusable: false },
  },
  {
    what: '304 with the length of what it does not send',
    text: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
    reads: { status: 304, body: '', reusable: true },
  },
  {
    what: 'informational answers before the answer',
    text: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na',
    reads: {
      informational: [
        [100, []],
        [103, ['Link', '</a>']],
      ],
      status: 200,
      body: 'a',
      reusable: true,
    },
  },
  {
    what: 'Connection: close',
    text: 'HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\na',
    reads: { body: 'a', reusable: false },
  },
  {
    what: 'Connection: close in a second line',
    text: 'HTTP/1.1 200 OK\r\nConnection: x\r\nconnection: close\r\nContent-Length: 1\r\n\r\na',
    reads: { reusable: false },
  },
  {
    what: 'HTTP/1.0',
    text: 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na',
    reads: { body: 'a', reusable: false },
  },
  {
    what: 'HTTP/1.0 that keeps its connection',
    text: 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na',
    reads: { body: 'a', reusable: true },
  },
]

const okHead = 'HTTP/1.1 200 OK\r\n'
const chunkedHead = `${okHead}Transfer-Encoding: chunked\r\n\r\n`

const refused: readonly Case[] = [
  { what: 'another protocol', text: 'SSH-2.0-OpenSSH_9.2\r\n' },
  { what: 'HTTP/2.0', text: 'HTTP/2.0 200 OK\r\n\r\n' },
  { what: 'HTTP/1.2', text: 'HTTP/1.2 200 OK\r\n\r\n' },
  { what: 'HTTP in lower case', text: 'http/1.1 200 OK\r\n\r\n' },
  { what: 'an empty line before the head', text: '\r\nHTTP/1.1 200 OK\r\n\r\n' },
  { what: 'no status', text: 'HTTP/1.1\r\n\r\n' },
  { what: 'a status of two digits', text: 'HTTP/1.1 20 OK\r\n\r\n' },
  { what: 'a status of four digits', text: 'HTTP/1.1 2000 OK\r\n\r\n' },
  { what: 'a status below 100', text: 'HTTP/1.1 099 Odd\r\n\r\n' },
  { what: 'a status with a sign', text: 'HTTP/1.1 +20 OK\r\n\r\n' },
  { what: 'two spaces before the status', text: 'HTTP/1.1  200 OK\r\n\r\n' },
  { what: 'a tab before the status', text: 'HTTP/1.1\t200 OK\r\n\r\n' },
  { what: 'a control in the phrase', text: 'HTTP/1.1 200 O\u0000K\r\n\r\n' },
  { what: 'a bare carriage return in the phrase', text: 'HTTP/1.1 200 O\rK\r\n\r\n' },
  { what: 'a bare line feed behind the status line', text: 'HTTP/1.1 200 OK\nX: y\r\n\r\n' },
  { what: 'a bare line feed behind a header', text: `${okHead}X: y\nZ: z\r\n\r\n` },
  { what: 'a head of bare line feeds', text: 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', ends: false },
  { what: 'a bare line feed at the end of the head', text: `${okHead}X: y\r\n\nHTTP` },
  { what: 'a bare carriage return in a value', text: `${okHead}X: a\rb\r\n\r\n` },
  { what: 'NUL in a value', text: `${okHead}X: a\u0000b\r\n\r\n` },
  { what: 'DEL in a value', text: `${okHead}X: a\u007fb\r\n\r\n` },
  { what: 'a header without a colon', text: `${okHead}X\r\n\r\n` },
  { what: 'a header without a name', text: `${okHead}: x\r\n\r\n` },
  { what: 'a space before the colon', text: `${okHead}Content-Length : 0\r\n\r\n` },
  { what: 'a space within a name', text: `${okHead}X Y: z\r\n\r\n` },
  { what: 'a byte beyond ASCII in a name', text: `${okHead}X\u00e9: z\r\n\r\n` },
  { what: 'a folded line', text: `${okHead}X: y\r\n z\r\n\r\n` },
  { what: 'a space before the first header', text: `${okHead} X: y\r\n\r\n` },
  { what: 'two equal lengths', text: `${okHead}Content-Length: 1\r\nContent-Length: 1\r\n\r\na` },
  { what: 'two different lengths', text: `${okHead}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab` },
  { what: 'a list of lengths', text: `${okHead}Content-Length: 1, 1\r\n\r\na` },
  { what: 'an empty length', text: `${okHead}Content-Length:\r\n\r\na` },
  { what: 'a length with a sign', text: `${okHead}Content-Length: +1\r\n\r\na` },
  { what: 'a hexadecimal length', text: `${okHead}Content-Length: 0x1\r\n\r\na` },
  { what: 'a length with a fraction', text: `${okHead}Content-Length: 1.0\r\n\r\na` },
  { what: 'a length beyond exact numbers', text: `${okHead}Content-Length: 9007199254740993\r\n\r\na` },
  { what: 'a length that overflows', text: `${okHead}Content-Length: 18446744073709551617\r\n\r\na` },
  {
    what: 'length and chunks',
    text: `${okHead}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
  },
  {
    what: 'chunks and length',
    text: `${okHead}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1\r\na\r\n0\r\n\r\n`,
  },
  { what: 'chunks in HTTP/1.0', text: 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' },
  { what: 'a coding before chunked', text: `${okHead}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n` },
  { what: 'a coding behind chunked', text: `${okHead}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n` },
  { what: 'chunked twice', text: `${okHead}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n` },
  { what: 'an unknown coding', text: `${okHead}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n` },
  { what: 'the coding identity', text: `${okHead}Transfer-Encoding: identity\r\n\r\nall` },
  { what: 'an empty coding', text: `${okHead}Transfer-Encoding:\r\n\r\nall` },
  { what: 'chunked with a vertical tab', text: `${okHead}Transfer-Encoding: \u000bchunked\r\n\r\n0\r\n\r\n` },
  { what: 'a length in an answer to HEAD that is none', method: 'HEAD', text: `${okHead}Content-Length: x\r\n\r\n` },
  { what: 'a change of protocol', text: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n' },
  { what: 'a chunk without a size', text: `${chunkedHead}\r\na\r\n0\r\n\r\n` },
  { what: 'a chunk with an extension and no size', text: `${chunkedHead};a\r\na\r\n0\r\n\r\n` },
  { what: 'a size that is no number', text: `${chunkedHead}g\r\na\r\n0\r\n\r\n` },
  { what: 'a size with a sign', text: `${chunkedHead}-1\r\na\r\n0\r\n\r\n` },
  { what: 'a size with a prefix', text: `${chunkedHead}0x1\r\na\r\n0\r\n\r\n` },
  { what: 'a space before a size', text: `${chunkedHead} 1\r\na\r\n0\r\n\r\n` },
  { what: 'a space behind a size', text: `${chunkedHead}1 \r\na\r\n0\r\n\r\n` },
  { what: 'a size of too many digits', text: `${chunkedHead}00000000000001\r\na\r\n0\r\n\r\n` },
  { what: 'a bare line feed behind a size', text: `${chunkedHead}1\na\r\n0\r\n\r\n` },
  { what: 'a carriage return without a line feed behind a size', text: `${chunkedHead}1\ra\r\n0\r\n\r\n` },
  { what: 'a bare line feed in an extension', text: `${chunkedHead}1;a\na\r\n0\r\n\r\n` },
  { what: 'a control in an extension', text: `${chunkedHead}1;a\u0000\r\na\r\n0\r\n\r\n` },
  { what: 'a chunk longer than its size', text: `${chunkedHead}1\r\nab\r\n0\r\n\r\n` },
  { what: 'a bare line feed behind a chunk', text: `${chunkedHead}1\r\na\n0\r\n\r\n` },
  { what: 'an extension without a name', text: `${chunkedHead}1;\r\na\r\n0\r\n\r\n` },
  { what: 'an extension that is not quoted', text: `${chunkedHead}1;a=b c\r\na\r\n0\r\n\r\n` },
  { what: 'an extension whose quotes stay open', text: `${chunkedHead}1;a="b\r\na\r\n0\r\n\r\n` },
  { what: 'extensions beyond 16 KiB', text: `${chunkedHead}1;${'a'.repeat(16 * 1024)}\r\na\r\n0\r\n\r\n` },
  { what: 'a trailer without a colon', text: `${chunkedHead}0\r\nX\r\n\r\n` },
  { what: 'a trailer that says a length', text: `${chunkedHead}0\r\nContent-Length: 0\r\n\r\n` },
  { what: 'a trailer that says a coding', text: `${chunkedHead}0\r\nTransfer-Encoding: chunked\r\n\r\n` },
  { what: 'a folded trailer', text: `${chunkedHead}0\r\nX: y\r\n z\r\n\r\n` },
  { what: 'a bare line feed behind a trailer', text: `${chunkedHead}0\r\nX: y\n\r\n` },
  {
    what: 'a head larger than allowed',
    text: `${okHead}X: ${'y'.repeat(100)}\r\n\r\n`,
    limits: { maxHeaderBytes: 100 },
  },
  {
    what: 'informational answers that are larger than allowed together',
    text: `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(4)}HTTP/1.1 200 OK\r\n\r\n`,
    limits: { maxHeaderBytes: 100 },
  },
  {
    what: 'trailers that are larger than allowed together with the head',
    text: `${chunkedHead}0\r\nX: ${'y'.repeat(80)}\r\n\r\n`,
    limits: { maxHeaderBytes: 100 },
  },
  {
    what: 'more header lines than allowed',
    text: `${okHead}${'X: y\r\n'.repeat(4)}\r\n`,
    limits: { maxHeaderLines: 3 },
  },
  {
    what: 'more trailer lines than allowed',
    text: `${chunkedHead}0\r\n${'X: y\r\n'.repeat(4)}\r\n`,
    limits: { maxHeaderLines: 3 },
  },
]

const cut: readonly Case[] = [
  { what: 'within the status line', text: 'HTTP/1.1 2' },
  { what: 'within the head', text: `${okHead}Content-Length: 1\r\n` },
  { what: 'within a length', text: `${okHead}Content-Length: 3\r\n\r\nab` },
  { what: 'before a chunk', text: chunkedHead },
  { what: 'within the size of a chunk', text: `${chunkedHead}1` },
  { what: 'within a chunk', text: `${chunkedHead}3\r\nab` },
  { what: 'behind a chunk', text: `${chunkedHead}2\r\nab\r\n` },
  { what: 'before the trailers', text: `${chunkedHead}0\r\n` },
  { what: 'within the trailers', text: `${chunkedHead}0\r\nX: y\r\n` },
  { what: 'behind an informational answer', text: 'HTTP/1.1 100 Continue\r\n\r\n' },
]

/** Every way to cut the bytes that matters: not at all, everywhere, and once at each place. */
function* cuts(text: string): Generator<readonly Buffer[]> {
  const bytes = bytesOf(text)
  yield [bytes]
  yield Array.from(bytes, (byte) => Buffer.of(byte))
  const places = Math.min(bytes.length, 400)
  for (let at = 1; at < places; at += 1) yield [bytes.subarray(0, at), bytes.subarray(at)]
}

describe('AnswerParser', () => {
  it.each(accepted)('reads $what, cut anyhow', ({ text, reads, ...given }) => {
    for (const pieces of cuts(text)) expect(readAnswer({ pieces, ...given })).toMatchObject({ end: 'whole', ...reads })
  })

  it.each(refused)('refuses $what, cut anyhow', ({ text, ...given }) => {
    for (const pieces of cuts(text)) {
      expect(readAnswer({ pieces, ...given }).end, `${pieces.length} pieces`).toContain('malformed')
    }
  })

  it.each(cut)('takes an answer for cut $what', ({ text }) => {
    for (const pieces of cuts(text)) expect(readAnswer({ pieces }).end).toBe('cut')
  })

  it('reads one answer after the other, and mixes nothing up', () => {
    const answers = [
      ['GET', `${chunkedHead}1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n`, 'a, trailers X-Sum 1'],
      ['GET', `${okHead}Content-Length: 1\r\n\r\nb`, 'b, trailers '],
      ['GET', `${chunkedHead}1\r\nc\r\n0\r\n\r\n`, 'c, trailers '],
      ['HEAD', `${okHead}Content-Length: 9\r\n\r\n`, ', trailers '],
      ['GET', `HTTP/1.1 103 Early Hints\r\n\r\n${okHead}Content-Length: 1\r\n\r\nd`, 'd, trailers '],
    ] as const
    const heard: string[] = []
    let body = ''
    const parser = new AnswerParser(
      {
        informed: () => {},
        answered: () => {},
        piece: (bytes, start, end) => void (body += bytes.toString('latin1', start, end)),
        completed: (trailers) => void heard.push(`${body}, trailers ${(trailers ?? []).join(' ')}`),
      },
      { maxHeaderBytes: 200, maxHeaderLines: 3 },
    )

    for (const [method, text] of [...answers, ...answers]) {
      body = ''
      parser.begin(method)
      for (const byte of bytesOf(text)) parser.read(Buffer.of(byte), 1)
    }

    expect(heard).toEqual([...answers, ...answers].map(([, , expected]) => expected))
  })

  it('keeps no connection on which more came than the answer', () => {
    const whole = bytesOf(`${okHead}Content-Length: 1\r\n\r\na`)

    expect(readAnswer({ pieces: [Buffer.concat([whole, bytesOf('b')])] })).toMatchObject({
      end: 'whole',
      body: 'a',
      reusable: false,
    })
    expect(readAnswer({ pieces: [whole, bytesOf('b')] })).toMatchObject({ end: 'whole', body: 'a', reusable: false })
  })

  it('refuses what is no head at its first byte, not at its end', () => {
    expect(readAnswer({ pieces: [bytesOf('S')], ends: false }).end).toContain('malformed')
  })

  it('takes a head and trailers that are exactly as large as allowed', () => {
    const text = `${chunkedHead}0\r\nX: y\r\n\r\n`
    const lineBytes = chunkedHead.length + 'X: y\r\n\r\n'.length

    for (const pieces of cuts(text)) {
      expect(readAnswer({ pieces, limits: { maxHeaderBytes: lineBytes } }).end).toBe('whole')
      expect(readAnswer({ pieces, limits: { maxHeaderBytes: lineBytes - 1 } }).end).toContain('larger than')
    }
  })

  it('reads a head of 100 KB that comes in single bytes in a time that grows with its size', () => {
    const text = `${okHead}X: ${'y'.repeat(100_000)}\r\nContent-Length: 0\r\n\r\n`

    const { end } = readAnswer({ pieces: Array.from(bytesOf(text), (byte) => Buffer.of(byte)) })

    expect(end).toBe('whole')
  })
})
