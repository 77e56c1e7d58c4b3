/** Milliseconds of the machine's monotonic clock, with fractions: the same clock in every process of this machine. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
