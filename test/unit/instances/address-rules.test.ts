import { describe, expect, it } from 'vitest'
import { AddressRules, defaultInstanceNetworks } from '#core'
import { isLoopback } from '../../../core/instances/address-rules.ts'

describe('AddressRules', () => {
  it.each([
    ['127.0.0.1', true],
    ['::1', true],
    ['10.0.0.0', true],
    ['10.255.255.255', true],
    ['11.0.0.0', false],
    ['172.15.255.255', false],
    ['172.16.0.1', true],
    ['172.31.255.255', true],
    ['172.32.0.0', false],
    ['192.168.7.7', true],
    ['100.64.0.1', true],
    ['169.254.169.254', false],
    ['8.8.8.8', false],
    ['fd12::3', true],
    ['2001:db8::1', false],
    ['fe80::1', false],
    ['0.0.0.0', false],
    ['::', false],
    ['255.255.255.255', false],
    ['224.0.0.1', false],
    ['', false],
    ['localhost', false],
    ['10.0.0.1/8', false],
    ['010.0.0.1', false],
    ['fd12::3%eth0', false],
  ])('by default say of %s: %s', (address, isAllowed) => {
    expect(new AddressRules(defaultInstanceNetworks).allows(address)).toBe(isAllowed)
  })

  it.each(['::ffff:10.0.0.1', '::FFFF:A00:1', '0:0:0:0:0:ffff:0a00:0001'])(
    'take %s for the IPv4 address that it is',
    (address) => {
      expect(new AddressRules(['10.0.0.0/8']).allows(address)).toBe(true)
      expect(new AddressRules(['fc00::/7', '127.0.0.0/8']).allows(address)).toBe(false)
    },
  )

  it('do not let loopback in disguise through a network that has it not', () => {
    const rules = new AddressRules(['10.0.0.0/8'])

    expect(['127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::1'].filter((one) => rules.allows(one))).toEqual([])
  })

  it('never allow what is no address of one machine, whatever the networks', () => {
    const rules = new AddressRules(['0.0.0.0/0', '::/0'])

    expect(['8.8.8.8', '2001:db8::1'].every((one) => rules.allows(one))).toBe(true)
    expect(['0.0.0.0', '::', '::ffff:0.0.0.0', '239.1.1.1', 'ff02::1'].some((one) => rules.allows(one))).toBe(false)
  })

  it('take a single address as a network, and blanks around it', () => {
    const rules = new AddressRules([' 10.1.2.3 ', 'fd00::5'])

    expect([rules.allows('10.1.2.3'), rules.allows('10.1.2.4'), rules.allows('fd00::5')]).toEqual([true, false, true])
  })

  it('allow nothing without a network', () => {
    expect(new AddressRules([]).allows('127.0.0.1')).toBe(false)
  })

  it.each(['', 'ten', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8', 'fd00::/129', 'fe80::%eth0/64'])(
    'refuse "%s" as a network, and name it',
    (network) => {
      expect(() => new AddressRules(['10.0.0.0/8', network])).toThrow(
        expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(`"${network}"`) }),
      )
    },
  )
})

describe('isLoopback', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.255.0.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['0:0:0:0:0:FFFF:7f00:1', true],
    ['10.0.0.1', false],
    ['::2', false],
    ['::ffff:10.0.0.1', false],
    ['localhost', false],
  ])('says of %s: %s', (address, expected) => {
    expect(isLoopback(address)).toBe(expected)
  })
})
