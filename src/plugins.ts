import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { capabilityOf, defineAction } from './actions/define.ts';
import { cancelOwn, commandFailed, ownInputs, runOwn } from './actions/own-command.ts';
import { definePlugin, type Plugin } from './actions/plugin.ts';
import { EdgeError } from './domain/errors.ts';

/**
 * What a plug-in is made with. It is handed in, so that a plug-in has the zod and the errors of the Edge that runs it, and
 * imports nothing of it.
 */
export const PLUGIN_API = {
  ...{ z, EdgeError, definePlugin, defineAction },
  ...{ ownInputs, runOwn, cancelOwn, commandFailed },
} as const;
export type PluginApi = typeof PLUGIN_API;

/**
 * Loads plug-ins: files, by path from `folder`, or packages by name. Each exports `plugin`, a function from `PluginApi` to a
 * plug-in. Throws `settings_invalid`, so that no process begins with half of what it was told to have.
 */
export async function loadPlugins(modules: readonly string[], folder: string): Promise<readonly Plugin[]> {
  const plugins: Plugin[] = [];
  const places = new Map(modules.map((module) => [placeOf(module, folder), module]));
  for (const [place, module] of places) {
    const plugin = await loaded(module, place);
    if (plugins.some(({ name }) => name === plugin.name))
      throw refused(module, `${plugin.name} is loaded twice`);
    plugins.push(plugin);
  }
  return plugins;
}

/** A package is looked for from the folder on, and not beside Edge. */
function placeOf(module: string, folder: string): string {
  if (/^[./]|\.[cm]?[jt]s$/.test(module)) return pathToFileURL(resolve(folder, module)).href;
  try {
    return pathToFileURL(createRequire(join(folder, 'any')).resolve(module)).href;
  } catch (cause) {
    throw refused(module, wordsOf(cause).split('\n')[0] ?? '', cause);
  }
}

async function loaded(module: string, place: string): Promise<Plugin> {
  const { plugin: made }: { plugin?: unknown } = await import(place).catch((cause: unknown) => {
    throw refused(module, wordsOf(cause), cause);
  });
  if (typeof made !== 'function') throw refused(module, 'it exports no function `plugin`');
  const whole = await pluginOf(module, made as (api: PluginApi) => unknown);
  if (OWN_WORDS.has(whole.name)) throw refused(module, `${whole.name} is the name of actions of Edge itself`);
  const foreign = whole.actions.find(({ name }) => !name.startsWith(`${whole.name}.`));
  if (foreign) throw refused(module, `${capabilityOf(foreign)} is not named after it: ${whole.name}.…`);
  return whole;
}

/** First words of what Edge does itself. */
const OWN_WORDS: ReadonlySet<string> = new Set([
  ...['host', 'script', 'health', 'wait', 'release', 'balancer', 'capacity', 'common', 'datacenter', 'edge'],
]);

async function pluginOf(module: string, make: (api: PluginApi) => unknown): Promise<Plugin> {
  try {
    return definePlugin((await make(PLUGIN_API)) as Plugin);
  } catch (cause) {
    throw refused(module, wordsOf(cause), cause);
  }
}

const wordsOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

const refused = (module: string, why: string, cause?: unknown): EdgeError =>
  new EdgeError('settings_invalid', `The plug-in ${module} cannot be loaded: ${why}`, {
    hint: 'See docs/guides/writing-a-plugin.md.',
    ...(cause !== undefined && { cause }),
  });
