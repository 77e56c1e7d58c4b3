import { FreePorts } from '../../../deploy/cluster/free-ports.ts'

/** For everything here that is told its port: one that was given away may not be listened on for a while. */
export const ports = new FreePorts()
