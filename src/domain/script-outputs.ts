import type { Script } from './script.ts';
import { type TypedValue, valueFault, valueOfText } from './typed-value.ts';

export type ReadOutputs =
  | { readonly ok: true; readonly outputs: Readonly<Record<string, TypedValue>> }
  | { readonly ok: false; readonly message: string };

/**
 * What a script gave, from lines `name=value`, masked: each output that was declared, of its type, and nothing else. Of a name that
 * is there twice the last line counts. No value of it is in a message.
 */
export function readOutputs(text: string, declared: Script['outputs']): ReadOutputs {
  const types = new Map(Object.entries(declared));
  const outputs = new Map<string, TypedValue>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const equals = line.indexOf('=');
    if (equals < 1) return wrong(`line ${index + 1} of its outputs is not name=value`);
    const name = line.slice(0, equals);
    const type = types.get(name);
    if (!type) return wrong(`line ${index + 1} of its outputs gives what it did not declare`);
    const value = line.slice(equals + 1);
    if (value.includes('***')) return wrong(`its output ${name} holds a secret, or ***`);
    const found = valueOfText(type, value);
    const fault = valueFault(type, found);
    if (fault !== undefined) return wrong(`its output ${name} is not ${fault}`);
    outputs.set(name, found);
  }
  const missing = [...types.keys()].filter((name) => !outputs.has(name));
  if (missing.length > 0) return wrong(`it did not give ${missing.join(', ')}`);
  return { ok: true, outputs: Object.fromEntries(outputs) };
}

const wrong = (message: string): ReadOutputs => ({ ok: false, message });
