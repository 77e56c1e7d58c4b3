import { createHash } from 'node:crypto'

const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11' // RFC 6455 section 1.3
const closeOpcode = 8
const pingOpcode = 9
const pongOpcode = 10
const maxPayloadBytes = 65_535

/**
 * Accepts a WebSocket and sends every message back, unfragmented and up to 64 KiB; enough to try a gateway with.
 * @see RFC 6455 section 5.2
 */
export function echoOverWebSocket(request, socket) {
  const key = request.headers['sec-websocket-key'] ?? ''
  const accept = createHash('sha1')
    .update(key + acceptSuffix)
    .digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  let received = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (piece) => {
    received = Buffer.concat([received, piece])
    for (let frame = firstFrame(received); frame !== undefined; frame = firstFrame(received)) {
      received = received.subarray(frame.length)
      answer(socket, frame)
    }
  })
}

/** Reads the frame at the beginning of `bytes`; undefined while it is not whole. */
function firstFrame(bytes) {
  if (bytes.length < 2) return undefined
  const short = bytes[1] & 0x7f
  const headLength = short === 126 ? 4 : 2
  if (short === 127) return { opcode: closeOpcode, payload: Buffer.alloc(0), length: bytes.length }
  if (bytes.length < headLength + 4) return undefined
  const size = short === 126 ? bytes.readUInt16BE(2) : short
  const length = headLength + 4 + size
  if (bytes.length < length) return undefined
  const mask = bytes.subarray(headLength, headLength + 4)
  const payload = bytes.subarray(headLength + 4, length).map((byte, index) => byte ^ mask[index % 4])
  return { opcode: bytes[0] & 0x0f, payload, length }
}

function answer(socket, { opcode, payload }) {
  socket.write(frameOf(opcode === pingOpcode ? pongOpcode : opcode, payload))
  if (opcode === closeOpcode) socket.end()
}

function frameOf(opcode, payload) {
  const head =
    payload.length < 126 ? Buffer.from([0x80 | opcode, payload.length]) : Buffer.from([0x80 | opcode, 126, 0, 0])
  if (payload.length >= 126) head.writeUInt16BE(Math.min(payload.length, maxPayloadBytes), 2)
  return Buffer.concat([head, payload])
}
