import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeError, type ErrorCode } from '../../src/domain/errors.ts';
import { MOST_INVENTORY_BYTES, originOf, type TextSource } from '../../src/domain/inventory.ts';
import type { Inventory } from '../../src/ports/inventory.ts';
import { perTest } from '../support/per-test.ts';

/** One source, and the hands to change what it says. */
export type InventoryWorld = {
  readonly inventory: Inventory;
  readonly source: TextSource;
  says(bytes: string | Uint8Array): Promise<void>;
  /** Nothing is there any more. */
  vanish(): Promise<void>;
  dispose(): Promise<void>;
};

const signal = new AbortController().signal;
const SECRET = 'hunter2-in-the-text';

/** What every `Inventory` does, run on each adapter. */
export function inventoryContract(name: string, make: () => Promise<InventoryWorld>): void {
  const start = perTest(make);
  const does = (title: string, body: (world: InventoryWorld) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => body(await start()));
  };
  const textIn = async ({ inventory, source }: InventoryWorld) => (await inventory.read(source, signal)).text;

  const texts = {
    'an empty one': '',
    'one in several languages': 'name,address\nwéb-1,é\n日本,λ\n😀,x\n',
    'one with line ends of all kinds': 'a\r\nb\nc\rd',
    'one that a shell would understand':
      '$(touch /tmp/x) `id` ; rm -rf / | & > < * ~ "\' \\ -oProxyCommand=id',
    'one with NUL and escapes': 'a\0b\u001b[31mc\u0007',
  };
  for (const [title, text] of Object.entries(texts))
    does(`a text is what it says, letter by letter: ${title}`, async (world) => {
      await world.says(text);
      assert.equal(await textIn(world), text);
    });

  does('each read is of what it says now', async (world) => {
    for (const text of ['one', 'two', 'one']) {
      await world.says(text);
      assert.equal(await textIn(world), text);
    }
  });

  does('who asks at the same time as others gets the same', async (world) => {
    await world.says('all');
    assert.deepEqual(await Promise.all(Array.from({ length: 9 }, () => textIn(world))), Array(9).fill('all'));
  });

  does('as much as may be is read whole, and one byte more is refused', async (world) => {
    await world.says('x'.repeat(MOST_INVENTORY_BYTES));
    assert.equal((await textIn(world)).length, MOST_INVENTORY_BYTES);
    await world.says('x'.repeat(MOST_INVENTORY_BYTES + 1));
    await refused(world, 'inventory_invalid');
  });

  does('what is no UTF-8 is refused', async (world) => {
    await world.says(Buffer.concat([Buffer.from(SECRET), Buffer.from([0xff, 0xfe, 0x80])]));
    await refused(world, 'inventory_invalid');
  });

  does('one that is not there is unreachable, and nothing that was read before is given', async (world) => {
    await world.says(SECRET);
    await textIn(world);
    await world.vanish();
    await refused(world, 'inventory_unreachable');
  });

  does('rejects with the reason of the signal of the caller', async ({ inventory, source }) => {
    await assert.rejects(inventory.read(source, AbortSignal.abort(new Error('enough'))), /enough/);
  });
}

/** The error names what was read, and nothing of what it says. */
async function refused({ inventory, source }: InventoryWorld, code: ErrorCode): Promise<void> {
  await assert.rejects(inventory.read(source, signal), (error: unknown) => {
    assert.ok(error instanceof EdgeError, String(error));
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.startsWith(`${originOf(source)}: `), error.message);
    assert.ok(!error.message.includes(SECRET));
    return true;
  });
}
