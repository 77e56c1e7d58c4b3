import { type InstanceRecord, instanceSecret } from '#core/lean'
import type { SettingTexts } from './setting-texts.ts'

const keyFile = 'PILOTLIGHT_INSTANCE_KEY_FILE'
const ownSecret = 'PILOTLIGHT_INSTANCE_SECRET'
const names: readonly string[] = [keyFile, 'PILOTLIGHT_INSTANCE_KEY', ownSecret]
/** As gateways want it. */
const leastLength = 16

/**
 * Reads what this instance signs with: made of the key of the gateways, or given as it is, where a function could read the key from this
 * process. Empty when nothing is given.
 */
export function secretFrom(
  texts: SettingTexts,
  instance: Pick<InstanceRecord, 'id' | 'name' | 'namespace'>,
  isRequired: boolean,
): string {
  const [variable, ...more] = names.filter((name) => texts.text(name) !== '')
  if (variable === undefined) {
    if (isRequired) texts.fault(keyFile, 'is required with PILOTLIGHT_GATEWAYS: the key that the gateways have, too')
    return ''
  }
  if (more.length > 0) texts.fault(variable, `give one of ${names.join(', ')}`)
  const text = variable === keyFile ? texts.file(keyFile) : texts.text(variable)
  if (text === '') return ''
  if (text.length < leastLength) texts.fault(variable, `expected at least ${leastLength} characters`)
  if (variable !== ownSecret) return instanceSecret(text, instance)
  if (texts.text('PILOTLIGHT_INSTANCE_ID') === '') {
    texts.fault('PILOTLIGHT_INSTANCE_ID', `is required with ${ownSecret}: the id that the secret was made for`)
  }
  return text
}
