/** Whether what is shown is of this moment. */
export type Link = { readonly kind: 'opening' | 'live' } | { readonly kind: 'broken'; readonly why: string };
