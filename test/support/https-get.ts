import { get } from 'node:https';

/** The body of an HTTPS answer; only this certificate is trusted, under whatever name it was made for. */
export function httpsGet(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { ca, checkServerIdentity: () => undefined, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece) => {
        body += piece;
      });
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
}
