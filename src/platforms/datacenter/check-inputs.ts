import { z } from 'zod';
import type { FurtherStep, Work } from '../../domain/further-step.ts';
import type { StepList, StepProblem } from '../../domain/strategy.ts';
import { didYouMean } from '../../lib/nearest.ts';
import { SEQUENCES } from '../../plan/sequences.ts';
import { listedSteps, outputOf, PLACE_TYPES, placeOf } from './listed-steps.ts';
import { type Known, type StepShape, shapeOf, typeOf } from './step-shape.ts';

export type Path = readonly (string | number)[];

const at = (index: number, ...path: Path): Path => ['steps', 'datacenter', index, ...path];

/** Whether a step is given what it takes, as far as that is written. */
export function checkInputs(item: Work, at: Path, shape: StepShape): readonly StepProblem[] {
  const kind = item.script === undefined ? 'input' : 'parameter';
  const written = Object.entries(item.with).flatMap(([name, value]): readonly StepProblem[] => {
    const path = [...at, 'with', name];
    if (!shape.own.includes(name)) {
      const isGiven = Object.hasOwn(shape.takes, name);
      const message = isGiven ? `${name} is given by the target` : `${shape.what} has no ${kind} "${name}"`;
      return [{ path, message, hint: isGiven ? 'Leave it out.' : didYouMean(name, shape.own) }];
    }
    const field = shape.takes[name] ?? z.unknown();
    const place = item.script === undefined ? undefined : placeOf(value);
    if (place) return wrongType(`{ target: ${place} }`, PLACE_TYPES[place], { name, field, path });
    return outputOf(value) ? [] : checkValue(field, value, path);
  });
  const missing = shape.needed
    .filter((name) => !Object.hasOwn(item.with, name))
    .map((name) => ({ path: at, message: `${shape.what} needs the ${kind} "${name}"` }));
  return [...written, ...missing];
}

type Taken = { readonly name: string; readonly field: z.core.$ZodType; readonly path: Path };

function wrongType(what: string, given: string, { name, field, path }: Taken): readonly StepProblem[] {
  const taken = typeOf(field);
  if (given === taken || (given === 'integer' && taken === 'number')) return [];
  return [{ path, message: `${what} gives ${given}, and ${name} is ${taken}` }];
}

function checkValue(field: z.core.$ZodType, value: unknown, path: Path): readonly StepProblem[] {
  const parsed = z.safeParse(field, value);
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) => ({
    path: [...path, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))],
    message: `${String(path.at(-1))}: ${issue.message.replace(/^Invalid input: /, '')}`,
  }));
}

/** An output is of a step of the list that comes before, in every sequence, and of the type that is wanted (contract C5). */
export function checkOutputs(list: StepList, known: Known): readonly StepProblem[] {
  return list.flatMap((item, index) => {
    if (typeof item === 'string') return [];
    return Object.entries(item.with).flatMap(([name, value]): readonly StepProblem[] => {
      const ref = outputOf(value);
      const field = shapeOf(item, known)?.takes[name];
      if (!ref || !field) return [];
      const path = at(index, 'with', name);
      const source = list.find((other) => typeof other !== 'string' && other.id === ref.from);
      if (source === undefined || typeof source === 'string') {
        const message = `There is no step "${ref.from}" of your own whose output could be read`;
        return [{ path, message }];
      }
      const shape = shapeOf(source, known);
      const gives = shape && Object.hasOwn(shape.gives, ref.output) ? shape.gives[ref.output] : undefined;
      if (!gives) return [{ path, message: `${shape?.what ?? ref.from} has no output "${ref.output}"` }];
      const wrong = wrongType(ref.from, typeOf(gives), { name, field, path });
      return wrong.length > 0 ? wrong : tooLate(list, item, source, path);
    });
  });
}

function tooLate(list: StepList, item: FurtherStep, source: FurtherStep, path: Path): readonly StepProblem[] {
  const without = SEQUENCES.find((sequence) => {
    const steps = listedSteps(sequence, { steps: { datacenter: [...list] } });
    const reader = steps.indexOf(item);
    return reader >= 0 && !steps.slice(0, reader).includes(source);
  });
  if (without === undefined) return [];
  return [{ path, message: `"${source.id}" is not done before it in the sequence ${without}` }];
}
