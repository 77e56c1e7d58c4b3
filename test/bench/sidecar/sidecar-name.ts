import { installedSidecar } from '../../../plugins/local-provider/replicas/sidecar-program.ts'

/** The contender that the others of these parts are compared with. */
export const sidecarName = 'sidecar'

/** The flags of Node with which the embedded provider runs sidecars. */
export const sidecarFlags: readonly string[] = installedSidecar.filter((word) => word.startsWith('--'))
