import fc from 'fast-check'
import { bytesOf } from './read-answer.ts'

/** Mostly valid, so that what follows is reached. */
function mostly(usual: readonly string[], rare: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { arbitrary: fc.constantFrom(...usual), weight: 12 },
    { arbitrary: fc.constantFrom(...rare), weight: 1 },
  )
}

const eol = mostly(['\r\n'], ['\n', '\r', '\r\r\n', '\n\r', ' \r\n'])

const statusLine = fc
  .tuple(
    mostly(
      ['HTTP/1.1'],
      ['HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.10', '\r\nHTTP/1.1', 'ICY'],
    ),
    mostly([' '], ['  ', '\t', '']),
    mostly(
      ['200', '200', '404', '500', '204', '304'],
      ['100', '101', '102', '103', '99', '099', '000', '1000', '999', '2x0', '-20'],
    ),
    mostly([' OK', ' Not Found'], ['', ' ', '  two', ' caf\u00e9', ' a\tb', ' a\u0000', ' a\u007f', 'x']),
  )
  .map((parts) => parts.join(''))

const headerLine = mostly(
  [
    'X-Own: value',
    'Date: Thu, 01 Jan 2026 00:00:00 GMT',
    'x-empty:',
    'X-Blank:  \t a b \t',
    'Set-Cookie: a=1',
    'Trailer: X-Sum',
  ],
  [
    'X : space',
    ' X: leading',
    'X',
    ': none',
    'X Y: z',
    'X: caf\u00e9',
    'X\u00e9: y',
    'X: a\u0000b',
    'X: a\u007fb',
    'X: a\u0001',
    'X: a\tb',
    'X: a\rb',
    'X: a\nb',
    'X: y\r\n z',
    'X: y\r\n\tz',
    'X@: y',
    '(X): y',
    "X'!#$%&*+-.^_`|~: y",
    'X:: y',
    'X: \u000by',
  ],
)

const connectionLine = fc.constantFrom(
  'Connection: close',
  'Connection: keep-alive',
  'connection: Keep-Alive, X-Own',
  'Keep-Alive: timeout=5',
  'Connection:',
  'Upgrade: h2c',
)

const lengthLine = fc.oneof(
  { arbitrary: fc.nat(12).map((length) => `Content-Length: ${length}`), weight: 8 },
  {
    arbitrary: fc.constantFrom(
      'Content-Length: 1, 1',
      'Content-Length:',
      'Content-Length: +1',
      'Content-Length: 0x1',
      'Content-Length: 1.5',
      'content-length: 001',
      'Content-Length: 18446744073709551617',
      'Content-Length: 9007199254740993',
      'Content-Length : 1',
      'Content-Length: 1 1',
    ),
    weight: 1,
  },
)

const codingLine = mostly(
  ['Transfer-Encoding: chunked', 'transfer-encoding: Chunked'],
  [
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: chunked, gzip',
    'Transfer-Encoding: identity',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: chunkedx',
    'Transfer-Encoding:',
    'Transfer-Encoding: chunked,',
    'Transfer-Encoding: "chunked"',
    'Transfer-Encoding: \u000bchunked',
  ],
)

const text = fc.string({ maxLength: 12 }).map((any) => Buffer.from(any, 'utf8').toString('latin1'))

const chunk = fc
  .tuple(
    text,
    mostly(['', '', ';a', ';a=b', ';a="b c"'], [' ', ' ;a', ';a\u0000', ';\u00e9', ';', 'g', 'h']),
    mostly(['', '0'], ['0x', ' ', '+', '00000000000000']),
    eol,
    eol,
  )
  .filter(([content]) => content !== '')
  .map(
    ([content, extension, prefix, first, second]) =>
      `${prefix}${content.length.toString(16)}${extension}${first}${content}${second}`,
  )

const trailerLine = mostly(
  ['X-Sum: 42', 'Grpc-Status: 0'],
  ['Content-Length: 1', 'Transfer-Encoding: chunked', 'X', ' X: y', 'X: a\u0000'],
)

const chunks = fc
  .tuple(
    fc.array(chunk, { maxLength: 3 }),
    mostly(['0', '00', '0;last'], ['', 'x']),
    fc.array(trailerLine, { maxLength: 2 }),
    eol,
  )
  .map(
    ([some, last, trailers, end]) =>
      `${some.join('')}${last}\r\n${trailers.map((line) => `${line}\r\n`).join('')}${end}`,
  )

const framed = fc.oneof(
  { arbitrary: fc.tuple(text).map(([body]) => ({ lines: [`Content-Length: ${body.length}`], body })), weight: 4 },
  { arbitrary: fc.tuple(codingLine, chunks).map(([line, body]) => ({ lines: [line], body })), weight: 6 },
  { arbitrary: fc.tuple(lengthLine, text).map(([line, body]) => ({ lines: [line], body })), weight: 2 },
  {
    arbitrary: fc.tuple(lengthLine, codingLine, chunks).map(([one, two, body]) => ({ lines: [one, two], body })),
    weight: 1,
  },
  {
    arbitrary: fc.tuple(lengthLine, lengthLine, text).map(([one, two, body]) => ({ lines: [one, two], body })),
    weight: 1,
  },
  {
    arbitrary: fc.tuple(codingLine, codingLine, chunks).map(([one, two, body]) => ({ lines: [one, two], body })),
    weight: 1,
  },
  { arbitrary: text.map((body) => ({ lines: [], body })), weight: 2 },
)

const informational = fc.constantFrom(
  '',
  '',
  '',
  '',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
  'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 x\r\nX: y\r\n\r\n',
)

const answer = fc
  .tuple(
    informational,
    statusLine,
    eol,
    fc.array(fc.oneof(headerLine, headerLine, headerLine, connectionLine), { maxLength: 4 }),
    framed,
    fc.tuple(eol, eol),
  )
  .map(([before, status, statusEnd, lines, { lines: framing, body }, [lineEnd, headEnd]]) => {
    const [last = 'X-Last: 1', ...others] = [...framing, ...lines].toReversed()
    const head = [...others.map((line) => `${line}\r\n`), `${last}${lineEnd}`].join('')
    return `${before}${status}${statusEnd}${head}${headEnd}${body}`
  })

const mutation = fc.tuple(
  fc.constantFrom('insert', 'replace', 'remove', 'truncate'),
  fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '0',
    '1',
    'a',
    'g',
    '\u0000',
    '\u007f',
    '\u00ff',
    'HTTP/1.1 ',
  ),
)

function mutated(whole: string, changes: readonly (readonly [string, number, string])[]): string {
  let changed = whole
  for (const [how, where, what] of changes) {
    const at = Math.floor(where * changed.length)
    const end = how === 'insert' ? at : how === 'truncate' ? changed.length : at + 1
    changed = changed.slice(0, at) + (how === 'insert' || how === 'replace' ? what : '') + changed.slice(end)
  }
  return changed
}

/** Bytes that are an answer, or nearly one. */
export const answers: fc.Arbitrary<string> = fc
  .tuple(
    answer,
    fc.oneof(
      { arbitrary: fc.constant([]), weight: 3 },
      { arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }), weight: 2 },
    ),
  )
  .map(([whole, changes]) => mutated(whole, changes))

/** Cuts bytes at some places. */
export function cutAt(whole: string, places: readonly number[]): readonly Buffer[] {
  const bytes = bytesOf(whole)
  const ends = [...new Set(places.map((place) => Math.floor(place * bytes.length)))].toSorted((a, b) => a - b)
  return [...ends, bytes.length]
    .map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
    .filter(({ length }) => length > 0)
}

/** Where bytes are cut, as shares of their length. */
export const cutPlaces: fc.Arbitrary<number[]> = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })
