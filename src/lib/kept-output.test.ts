import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeptOutput } from './kept-output.ts';

type Look = {
  readonly limitBytes: number;
  readonly secrets?: readonly string[];
  readonly fromOffset?: number;
};

/** What a caller gets of a whole raw output, read live up to `seenLive` bytes in pieces and then from the host. */
async function kept(raw: Buffer, look: Look, pieces: readonly number[] = []): Promise<string> {
  const { limitBytes, secrets = [], fromOffset = 0 } = look;
  let next = fromOffset;
  let text = '';
  const output = new KeptOutput({
    limitBytes,
    secrets,
    fromOffset,
    onOutput: async ({ offset, data }) => {
      assert.equal(offset, next);
      next += data.length;
      text += Buffer.from(data).toString('latin1');
    },
  });
  for (const size of pieces) {
    if (output.headIsFull || output.next + size > raw.length) break;
    await output.pushHead(raw.subarray(output.next, output.next + size));
  }
  for (let range = await output.remaining(raw.length); range; range = await output.remaining(raw.length)) {
    await output.push(raw.subarray(range.start, range.start + range.count));
  }
  await output.end();
  return text;
}

const raw = (text: string) => Buffer.from(text, 'latin1');

test('an output within the limit is whole', async () => {
  assert.equal(await kept(raw('0123456789'), { limitBytes: 10 }), '0123456789');
});

test('of a longer output head and tail are kept around one line that counts the rest', async () => {
  const text = await kept(raw('0123456789abc'), { limitBytes: 9 });
  assert.equal(text, '0123\n[edge: 4 bytes of output were not kept]\n89abc');
});

test('a limit of nothing keeps nothing and counts everything', async () => {
  assert.equal(await kept(raw('0123'), { limitBytes: 0 }), '\n[edge: 4 bytes of output were not kept]\n');
});

test('a secret that the gap cuts in two does not show on either side', async () => {
  const text = await kept(raw(`xxxxcorrect-horse${'-'.repeat(100)}correct-horseyyyy`), {
    limitBytes: 24,
    secrets: ['correct-horse'],
  });
  assert.equal(text, 'xxxx***\n[edge: 110 bytes of output were not kept]\n***yyyy');
});

test('from any offset, and read in any pieces, the rest is the same', async () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'secret', 'sec', 'ret', '\n'), maxLength: 40 });
  const look = fc.record({ limitBytes: fc.nat(60), secrets: fc.constantFrom([], ['secret']) });
  await fc.assert(
    fc.asyncProperty(
      letters,
      look,
      fc.nat(80),
      fc.array(fc.integer({ min: 1, max: 7 })),
      async (text, options, at, pieces) => {
        const whole = await kept(raw(text), options);
        const fromOffset = Math.min(at, whole.length);
        assert.equal(await kept(raw(text), { ...options, fromOffset }, pieces), whole.slice(fromOffset));
      },
    ),
    { numRuns: 1_000 },
  );
});
