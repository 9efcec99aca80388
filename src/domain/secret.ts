/** A secret by reference: plan, events and outputs hold only this (contract C11). */
export type SecretRef = { readonly source: 'env' | 'file'; readonly name: string };
