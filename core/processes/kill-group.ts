/** Signals every process of a group; a group that is gone already is no error. */
export function killGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

/** ESRCH: no such group. EPERM: macOS and Linux say so of groups in which only zombies or foreign processes are left. */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM')
}
