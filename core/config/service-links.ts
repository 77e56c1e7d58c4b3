const linkName = /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/
const linkPortValue = /^(?:tcp|udp|sctp):\/\//

/**
 * Whether Kubernetes set this variable by itself. It announces every Service of a namespace to every pod: next to a
 * Service named `pilotlight` the gateway finds `PILOTLIGHT_PORT=tcp://10.0.0.7:8080`, `PILOTLIGHT_SERVICE_HOST` and
 * more, none of which the operator wrote.
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
export function isServiceLink(name: string, value: string): boolean {
  return linkName.test(name) || (name.endsWith('_PORT') && linkPortValue.test(value))
}
