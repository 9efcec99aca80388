// Stands in for scripts/services.ts while titles are collected: every server program is there, and none is installed.

export const requireService = (name: string): { readonly path: string } => ({ path: name });
export { requireService as provideService };
