/**
 * A certificate of the made-up host `provider.invalid`, signed by itself, and its key, for TLS on loopback. Valid from 2020
 * to 2120; a program trusts it when `NODE_EXTRA_CA_CERTS` names a file with it.
 */
export const testCertificate = `-----BEGIN CERTIFICATE-----
MIIBdTCCARygAwIBAgIBATAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBBwcm92aWRl
ci5pbnZhbGlkMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAbMRkw
FwYDVQQDDBBwcm92aWRlci5pbnZhbGlkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAE+8E4xMNwlp7ejs4iQ0Zuxw93gAxp6FSMZOWmGajai4GgQkRxqw20Ueq5rEw4
fhigclwzUivMsgPa+8PPqfM1caNPME0wGwYDVR0RBBQwEoIQcHJvdmlkZXIuaW52
YWxpZDAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBTlaPaOAiU0UKsF012smM22
59qGQTAKBggqhkjOPQQDAgNHADBEAiAJh3HQ3nCCKT6E4bTg9QGDPkp3EhQ+x17o
5uhXrBudBAIgQDDqNSm7P32UrQlGnv5XXbV1W01T73MFCPnTsZsm8AY=
-----END CERTIFICATE-----
`

/** The key of {@link testCertificate}. */
export const testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4LRYx0TQawDyOHvd
dznBag8sQyRwtxWGAPXU92h9NTChRANCAAT7wTjEw3CWnt6OziJDRm7HD3eADGno
VIxk5aYZqNqLgaBCRHGrDbRR6rmsTDh+GKByXDNSK8yyA9r7w8+p8zVx
-----END PRIVATE KEY-----
`
