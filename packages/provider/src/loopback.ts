/** Whether a URL leads to this machine: the only place to which a provider may be spoken to without TLS. */
export const isLoopback = (url: URL): boolean =>
  url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(url.hostname)
