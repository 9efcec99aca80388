import { z } from 'zod';

// The policy of the page lets nothing be made code of: schemas are read, not compiled. Before all others: they ask when they are made.
z.config({ jitless: true });
