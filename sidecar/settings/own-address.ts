/** The first address of this machine that others can reach, IPv4 before IPv6; 127.0.0.1 when there is none. */
export function ownAddress(): string {
  // Read when it is needed: in Kubernetes it is not, and the module costs a part of the start.
  const interfaces = process.getBuiltinModule('node:os').networkInterfaces()
  const addresses = Object.values(interfaces).flatMap((list) => list ?? [])
  const reachable = addresses.filter(({ internal, address }) => !internal && !/^(?:fe80|169\.254\.)/i.test(address))
  const first = reachable.find(({ family }) => family === 'IPv4') ?? reachable[0]
  return first?.address ?? '127.0.0.1'
}
