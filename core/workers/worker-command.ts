/** The argument that makes a forked process a worker; it is none of the command line's. */
export const workerCommand = 'worker'
