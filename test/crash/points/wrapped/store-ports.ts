import { storePorts as realPorts, type Store, type StoreParts } from '../../../../src/adapters/sql/ports.ts';
import { BOARD, pointed } from '../pointed.ts';

const JOURNAL = {
  name: 'journal',
  methods: ['create', 'submit', 'acquire', 'load', 'read', 'commit', 'release'],
};

export function storePorts(parts: StoreParts): Store {
  const store = realPorts(parts);
  return { ...store, journal: pointed(store.journal, JOURNAL), tasks: pointed(store.tasks, BOARD) };
}
