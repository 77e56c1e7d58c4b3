import { describe, expect, it } from 'vitest'
import { parseRedisInfo, redisLoadBetween } from '../../../bench/sidecar/redis-load.ts'

function info(sets: number, bytes: number, cpuSeconds: number): string {
  return [
    '# Clients',
    'connected_clients:4',
    'used_memory:2000000',
    'used_memory_human:1.91M',
    'mem_clients_normal:5000',
    `total_net_input_bytes:${bytes}`,
    `total_net_output_bytes:${bytes * 2}`,
    'used_cpu_sys:0.5',
    `used_cpu_user:${cpuSeconds}`,
    `cmdstat_set:calls=${sets},usec=1,usec_per_call=1.00`,
    'cmdstat_info:calls=7,usec=1,usec_per_call=1.00',
    'cmdstat_publish:calls=3,usec=1,usec_per_call=1.00',
  ].join('\r\n')
}

describe('parseRedisInfo', () => {
  it('reads fields by their whole names', () => {
    expect(parseRedisInfo(info(10, 100, 1))).toEqual({
      commands: { set: 10, publish: 3 },
      inputBytes: 100,
      outputBytes: 200,
      cpuMs: 1500,
      clients: 4,
      clientMemoryBytes: 5000,
      memoryBytes: 2_000_000,
    })
  })
})

describe('redisLoadBetween', () => {
  it('is what was done a second, without commands that nobody sent', () => {
    const load = redisLoadBetween(parseRedisInfo(info(10, 100, 1)), parseRedisInfo(info(30, 500, 1.1)), 2)

    expect(load.commandsPerSecond).toBe(10)
    expect(load.byName).toEqual([['set', 10]])
    expect(load.inputBytesPerSecond).toBe(200)
    expect(load.cpuMsPerSecond).toBeCloseTo(50)
    expect(load.clients).toBe(3)
  })
})
