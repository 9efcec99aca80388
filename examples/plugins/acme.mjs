// A plug-in of your own: kinds of work beside those of Edge. See docs/guides/writing-a-plugin.md.

/** @param {import('../../src/plugins.ts').PluginApi} edge */
export const plugin = ({ z, definePlugin, defineAction, ownInputs, runOwn, cancelOwn, commandFailed }) => {
  const { host, env, cwd, sudoUser, graceMs } = ownInputs;

  /** Asks for pages that are slow the first time, so that no person is the first. */
  const warmCache = defineAction({
    name: 'acme.warm-cache',
    major: 1,
    inputs: z.strictObject({
      ...{ host, env, cwd, sudoUser, graceMs },
      pages: z
        .array(z.string().regex(/^\/[a-z0-9/-]{0,200}$/, 'a path such as /shop/start'))
        .min(1)
        .max(50),
    }),
    outputs: z.strictObject({ warmed: z.int() }),
    // It is run as a detached command, which no second worker can start again.
    fences: true,
    apply: (context, inputs) => runOwn(context, commandOf(inputs)),
    cancel: (context, inputs) => cancelOwn(context, commandOf(inputs)),
  });

  /** The pages are arguments, and no part of a text that a shell reads. */
  const commandOf = ({ pages, graceMs, ...place }) => ({
    commandOf: (ordinal) => ({ ...place, mask: [], ordinal, argv: ['bin/warm', ...pages] }),
    outcomeOf: (end) =>
      end.code === 0
        ? { kind: 'done', outputs: { warmed: pages.length } }
        : { kind: 'failed', error: commandFailed('bin/warm', end), retryable: false },
    graceMs,
    ifUnknown: undefined,
  });

  return definePlugin({ name: 'acme', actions: [warmCache] });
};
