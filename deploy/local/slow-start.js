// Sample function that takes its time to start, as most real ones do: watch what a first caller waits for.
import { serve } from './serve.js'

const delayMs = Number(process.env.start_delay_ms ?? 1000)

setTimeout(() => {
  serve((request, response) => {
    response.setHeader('Content-Type', 'text/plain; charset=utf-8').end(`Ready after ${delayMs} ms of starting.\n`)
  })
}, delayMs)
