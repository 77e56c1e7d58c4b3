/** Name of one of the functions of upstream.ts, from 0 to 999. */
export function functionName(index: number): string {
  return `f${String(index).padStart(3, '0')}`
}
