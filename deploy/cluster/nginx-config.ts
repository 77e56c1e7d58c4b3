import type { BalancerSettings } from './haproxy-config.ts'

/**
 * Returns a configuration of nginx, which does not ask for readiness: a gateway that refuses a connection is left out for a
 * second. One process does everything, so that none can be left behind.
 *
 * @param folder for its temporary files
 * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html (proxy_next_upstream)
 */
export function nginxConfig({ port, gateways }: BalancerSettings, folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 16384; }
http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path ${folder}/${name};\n`).join('')}
  upstream gateways {
    least_conn;
${gateways.map((one) => `    server 127.0.0.1:${one.port} max_fails=1 fail_timeout=1s;\n`).join('')}    keepalive 64;
  }
  map $http_upgrade $connection_header {
    default upgrade;
    ''      '';
  }
  large_client_header_buffers 16 64k;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    client_max_body_size 0;
    client_header_timeout 60s;
    client_body_timeout 1h;
    send_timeout 1h;
    location / {
      proxy_pass http://gateways;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_header;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_next_upstream error;
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_connect_timeout 2s;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }
  }
}
`
}
