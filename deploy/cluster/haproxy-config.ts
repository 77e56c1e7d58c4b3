/** One gateway behind the balancer. */
export interface BalancedGateway {
  readonly name: string
  readonly port: number
}

/** What a balancer's configuration is made of. */
export interface BalancerSettings {
  /** Port on loopback. */
  readonly port: number
  readonly gateways: readonly BalancedGateway[]
}

/**
 * Returns a configuration of HAProxy. Readiness is asked every 250 ms, and faster when in doubt, so that a gateway that drains gets
 * no new calls well within its quiet period. What never reached a gateway goes to another one; what may have reached one
 * does so only when a repeat is safe. Time limits are beyond those of gateways, which say better what took so long. Gateways take
 * larger heads than HAProxy does by itself.
 *
 * @see HAProxy 2.6 configuration manual: 3.1, 3.2 (tune), 4.2 (option redispatch, retry-on, abortonclose), 5.2 (server)
 */
export function haproxyConfig({ port, gateways }: BalancerSettings): string {
  return `global
  log stdout format raw local0 notice
  maxconn 8192
  no strict-limits
  hard-stop-after 3s
  tune.bufsize 65536
  tune.http.maxhdr 1000

defaults
  mode http
  log global
  timeout connect 2s
  timeout http-request 60s
  timeout http-keep-alive 60s
  timeout client 1h
  timeout server 1h
  timeout tunnel 24h
  timeout check 1s
  retries 3
  option redispatch 1
  option abortonclose
  option http-no-delay
  option forwardfor
  option dontlognull

frontend functions
  bind 127.0.0.1:${port}
  maxconn 8192
  http-request disable-l7-retry if !{ method GET HEAD OPTIONS }
  default_backend gateways

backend gateways
  balance leastconn
  retry-on conn-failure empty-response
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host gateway
  http-check expect status 200
  default-server check inter 250ms fastinter 100ms downinter 100ms fall 2 rise 1
${gateways.map((one) => `  server ${one.name} 127.0.0.1:${one.port}\n`).join('')}`
}
