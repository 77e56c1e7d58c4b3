import { isIP } from 'node:net'
import type { Random } from '#core/lean'
import { ownAddress } from './own-address.ts'
import type { SettingTexts } from './setting-texts.ts'
import type { SidecarSettings } from './sidecar-settings.ts'

/** Most characters of the host name in an id that nobody chose. */
const maxHostLength = 100

/** Reads who this instance is, and where gateways reach it. */
export function instanceFrom(texts: SettingTexts, random: Random): SidecarSettings['instance'] {
  const whole = texts.matching(
    'PILOTLIGHT_FUNCTION',
    /^[-a-zA-Z0-9_]+(?:\.[-a-zA-Z0-9_]+)?$/,
    'a name such as resize or resize.openfaas-fn',
  )
  const [name, namespace = ''] =
    whole === ''
      ? [
          texts.matching('OPENFAAS_NAME', /^[-a-zA-Z0-9_][-a-zA-Z0-9_.]{0,252}$/, 'the name of a function'),
          texts.matching('OPENFAAS_NAMESPACE', /^[-a-zA-Z0-9_]{1,253}$/, 'a namespace'),
        ]
      : whole.split('.')
  const id = texts.matching(
    'PILOTLIGHT_INSTANCE_ID',
    /^[-a-zA-Z0-9._]{1,128}$/,
    '1 to 128 letters, digits, ".", "_" or "-"',
  )
  return { id: id === '' ? madeUpId(texts, random) : id, name: name ?? '', namespace, address: addressFrom(texts) }
}

/** Nobody has had it before: an instance that starts again is another one. */
function madeUpId(texts: SettingTexts, random: Random): string {
  const host = texts
    .text('POD_NAME', 'HOSTNAME')
    .replaceAll(/[^-a-zA-Z0-9._]/g, '')
    .slice(-maxHostLength)
  const part = Math.floor(random() * 2 ** 52).toString(36)
  return host === '' ? `instance-${part}` : `${host}-${part}`
}

function addressFrom(texts: SettingTexts): string {
  const text = texts.text('PILOTLIGHT_INSTANCE_ADDRESS')
  const given = text || texts.text('POD_IP')
  if (given === '') return ownAddress()
  if (isIP(given) !== 0 && !given.includes('%')) return given
  texts.fault(
    text === '' ? 'POD_IP' : 'PILOTLIGHT_INSTANCE_ADDRESS',
    `expected an IP address, got ${JSON.stringify(given)}`,
  )
  return '127.0.0.1'
}
