/**
 * Why a wait of ours was cut short. Nobody reads it: one value for all, since each `abort` without a reason makes an exception
 * with a stack, and waits end at every ring of a bell.
 */
export const CUT_SHORT = 'cut short';

/**
 * A signal that `cut` aborts, and so does `outer`. Unlike `AbortSignal.any` it lets go of `outer` with the first `cut`: there
 * is one for each wait, and `outer` lives as long as its process.
 */
export function cutBy(outer: AbortSignal): { readonly signal: AbortSignal; cut(): void } {
  const cutting = new AbortController();
  const cut = (): void => {
    outer.removeEventListener('abort', cut);
    cutting.abort(CUT_SHORT);
  };
  if (outer.aborted) cut();
  else outer.addEventListener('abort', cut);
  return { signal: cutting.signal, cut };
}
