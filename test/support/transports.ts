/** The two transports of `Hosts`, each with a network of its own; `network` is the first two numbers of their addresses. */
export const transportsOn = (network: string) =>
  [
    { name: 'by the library', network: `${network}.1`, how: {} },
    { name: "by the system's client", network: `${network}.2`, how: { transport: 'openssh' } },
  ] as const;
