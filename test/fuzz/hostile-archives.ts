import fc from 'fast-check';
import { TAR_END, tarPadding } from '../../src/lib/tar.ts';
import { hostileText } from '../support/hostile-text.ts';
import { type ZipEntry, zip } from '../support/zip.ts';
import { EVIL } from './real-host.ts';

/** `canary`: the folder, by its absolute path, that nothing may be written to. */
type Places = { readonly canary: string };

/** From the folder in which an archive is unpacked, `home/web/releases/<one>`, up to that of the canary. */
const UP = '../../../../canary';

const TAME = [
  ...['a', 'b', 'dir', 'dir', 'conf', 'conf', 'app.bin', '.edge-release', 'conf/app.conf'],
  ...[`dir/${EVIL}`, `conf/${EVIL}`, `a/${EVIL}`, 'dir/kept', './dir//kept', 'b/canary/kept', 'dir/', './'],
];
const wildNames = ({ canary }: Places) =>
  fc.oneof(
    fc.constantFrom(
      ...[
        `../${EVIL}`,
        `../../${EVIL}`,
        `a/../../${EVIL}`,
        `dir/../../../${EVIL}`,
        `${UP}/${EVIL}`,
        `${UP}/kept`,
      ],
      ...[`${canary}/${EVIL}`, `${canary}/kept`, `/${EVIL}`, `//${EVIL}`, `..\\${EVIL}`, `C:\\${EVIL}`],
    ),
    fc.constantFrom('.edge-x', '.', '..', '', '/', 'a//b', `${'x/'.repeat(80)}y`, 'A', 'é', '\u202Egpj'),
    fc.constantFrom(
      'x\ny',
      '-rf',
      '--checkpoint-action=exec=touch ran',
      '$(touch ran)',
      '`touch ran`',
      'a\x01b',
    ),
    hostileText,
  );
/** Most are names that any program writes: an archive gets no further than its first odd one. */
const names = (places: Places) =>
  fc.oneof({ arbitrary: fc.constantFrom(...TAME), weight: 4 }, { arbitrary: wildNames(places), weight: 1 });
const targets = ({ canary }: Places) =>
  fc.constantFrom(
    ...[canary, `${canary}/kept`, `${canary}/${EVIL}`, UP, `${UP}/kept`, `${UP}/${EVIL}`],
    ...['a', 'dir', '.', '..', './a', '../..', 'dir/..', '', '/', 'x\ny', '$(touch ran)'],
  );

export const hostileZip = (places: Places): fc.Arbitrary<Buffer> => {
  const modes = fc.oneof(
    { arbitrary: fc.constantFrom(0o100644, 0o100755, 0o120777, 0o040755, 0), weight: 9 },
    { arbitrary: fc.constantFrom(0o104755, 0o020666, 0o060660, 0o010666, 0o140777), weight: 1 },
  );
  const entry = fc
    .record({ name: names(places), mode: modes, to: targets(places), kind: fc.nat(49) })
    .map(({ name, mode, to, kind }): ZipEntry => {
      const content = (mode & 0o170000) === 0o120000 ? to : 'x';
      if (kind === 0) return { name, content, encrypted: true };
      if (kind === 1) return { name, content, says: { sizeBytes: 4_000_000_000 } };
      if (kind === 2) return { name, content, says: { crc: 1 } };
      return mode === 0 ? { name, content } : { name, content, mode };
    });
  const whole = fc.array(entry, { minLength: 1, maxLength: 4 }).map(zip);
  return damaged(whole);
};

/** Of ustar: file, hard link, link, devices, folder, pipe; what GNU and PAX have added; and what nobody knows. */
const TYPES = [...'00000000111222222222255555555534', ...'67SVMDgNXZ', '\0'];

export const hostileTar = (places: Places): fc.Arbitrary<Buffer> => {
  const entry = fc
    .record({
      name: names(places),
      to: targets(places),
      type: fc.constantFrom(...TYPES),
      mode: fc.constantFrom(0o644, 0o755, 0o4755, 0o7777, 0),
      by: fc.constantFrom('header', 'header', 'header', 'gnu', 'pax'),
      says: fc.oneof(
        { arbitrary: fc.constant(undefined), weight: 40 },
        { arbitrary: fc.constantFrom(8_000_000_000, -1), weight: 1 },
      ),
    })
    .map(entryBytes);
  const whole = fc
    .array(entry, { minLength: 1, maxLength: 5 })
    .map((parts) => Buffer.concat([...parts, TAR_END]));
  return damaged(whole);
};

/** Most are whole; some are cut off, and some have bytes that are others. */
function damaged(whole: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const harm = fc.record({ how: fc.nat(19), at: fc.nat(4_096), byte: fc.nat(255) });
  return fc.tuple(whole, harm).map(([bytes, { how, at, byte }]) => {
    if (how === 0) return bytes.subarray(0, at % (bytes.length + 1));
    if (how === 1) bytes[at % bytes.length] = byte;
    return bytes;
  });
}

type Entry = {
  readonly name: string;
  readonly to: string;
  readonly type: string;
  readonly mode: number;
  /** Where its name and link stand: in its own header, or in an entry before it. */
  readonly by: 'header' | 'gnu' | 'pax';
  /** How many bytes it claims to have. */
  readonly says: number | undefined;
};

function entryBytes({ name, to, type, mode, by, says }: Entry): Buffer {
  const content = Buffer.from('01234567SVMDgNXZ\0'.includes(type) && !'123456'.includes(type) ? 'x\n' : '');
  const own = { type, mode, sizeBytes: says ?? content.length };
  if (by === 'header') return withContent(header({ ...own, name, to }), content);
  const before =
    by === 'gnu'
      ? [special('L', Buffer.from(`${name}\0`)), special('K', Buffer.from(`${to}\0`))]
      : [special('x', Buffer.concat([record('path', name), record('linkpath', to)]))];
  return Buffer.concat([...before, withContent(header({ ...own, name: 'short', to: 'short' }), content)]);
}

const withContent = (head: Buffer, content: Buffer): Buffer =>
  Buffer.concat([head, content, tarPadding(content.length)]);

const special = (type: string, content: Buffer): Buffer =>
  withContent(header({ name: 'special', to: '', type, mode: 0o644, sizeBytes: content.length }), content);

/** `<length> <key>=<value>\n`, the length that of all of it (POSIX.1-2001, pax). */
function record(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

type Header = Pick<Entry, 'name' | 'to' | 'type' | 'mode'> & { readonly sizeBytes: number };

/** As `lib/tar.ts` has it, and with whatever is given. */
function header({ name, to, type, mode, sizeBytes }: Header): Buffer {
  const bytes = Buffer.alloc(512);
  Buffer.from(name).copy(bytes, 0, 0, 100);
  bytes.write(`${mode.toString(8).padStart(7, '0')}\0`, 100, 'latin1');
  bytes.write('0000000\x000000000\0', 108, 'latin1');
  bytes.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  bytes.write('13703012000\0', 136, 'latin1');
  bytes.write(' '.repeat(8), 148, 'latin1');
  bytes.write(type, 156, 'latin1');
  Buffer.from(to).copy(bytes, 157, 0, 100);
  bytes.write('ustar\x0000', 257, 'latin1');
  // Numbers of a device that does nothing: /dev/null.
  bytes.write('0000001\x000000003\0', 329, 'latin1');
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}
