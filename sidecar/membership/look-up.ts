/** Finds the IP addresses of a host name. Rejects when there are none. */
export type Lookup = (host: string) => Promise<readonly string[]>

/** Looks a name up as every program of this machine does: by its hosts file, search domains and name servers. */
export const lookUpAll: Lookup = (host) =>
  new Promise((resolve, reject) => {
    // Loaded when there is a name to look up: gateways may well be given by their addresses.
    process.getBuiltinModule('node:dns').lookup(host, { all: true, order: 'verbatim' }, (error, found) => {
      if (error) reject(error)
      else resolve(found.map(({ address }) => address))
    })
  })
