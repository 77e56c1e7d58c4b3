import type { PeerSettings } from './peer-process.ts'

const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

/**
 * nginx as a gateway to one upstream: one process on one CPU, connections kept on both sides, bodies streamed both ways as
 * gateways for functions do, no log.
 *
 * @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html (keepalive)
 * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html (proxy_request_buffering, proxy_max_temp_file_size)
 */
export function nginxConfig({ port, upstreamPort, folder, maxConnections }: PeerSettings): string {
  return `daemon off;
master_process off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr crit;
worker_rlimit_nofile ${maxConnections};
events { worker_connections ${maxConnections}; }
http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path ${folder}/${name};\n`).join('')}
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  upstream functions {
    server 127.0.0.1:${upstreamPort};
    keepalive 512;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    client_max_body_size 0;
    location / {
      proxy_pass http://functions;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
    }
  }
}
`
}
