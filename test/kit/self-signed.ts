import { generateKeyPairSync, sign } from 'node:crypto';
import * as frames from './amqp-frames.js';

const der = (tag: number, ...content: Buffer[]): Buffer => {
  const body = Buffer.concat(content);
  const length = body.length < 0x80 ? frames.octet(body.length) : frames.octet(0x82);
  const long = body.length < 0x80 ? Buffer.alloc(0) : frames.short(body.length);
  return Buffer.concat([frames.octet(tag), length, long, body]);
};
const sequence = (...content: Buffer[]): Buffer => der(0x30, ...content);
const bits = (bytes: Buffer): Buffer => der(0x03, frames.octet(0), bytes);
const utcTime = (text: string): Buffer => der(0x17, Buffer.from(text));
const ECDSA_WITH_SHA256 = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
const COMMON_NAME = der(0x06, Buffer.from('550403', 'hex'));

/** A new key and its own certificate (X.509 v1) for a name, both PEM; valid until 2049. */
export function selfSigned(commonName = 'localhost'): { key: string; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(
    der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(commonName, 'utf8')))),
  );
  const content = sequence(
    der(0x02, frames.octet(1)),
    ECDSA_WITH_SHA256,
    name,
    sequence(utcTime('200101000000Z'), utcTime('491231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', content, privateKey);
  const certificate = sequence(content, ECDSA_WITH_SHA256, bits(signature));
  const lines = certificate.toString('base64').replaceAll(/.{64}/gu, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
