import { inventoryContract } from '../../../test/contracts/inventory.ts';
import { textSource } from '../../../test/support/text-sources.ts';
import { originOf } from '../../domain/inventory.ts';
import { createMemoryInventory } from './inventory.ts';

inventoryContract('memory', async () => {
  const inventory = createMemoryInventory();
  const source = textSource({ from: 'file', path: '/lists/hosts' });
  const origin = originOf(source);
  return {
    ...{ inventory, source, dispose: async () => {} },
    says: async (bytes) => inventory.set(origin, bytes),
    vanish: async () => inventory.set(origin, undefined),
  };
});
