// A link from another site comes without the cookie. The browser may hold it all the same: ask, and go on if so.

const answer = await fetch("/session", { cache: "no-store" }).catch(() => null);
const session = await answer?.json();
if (session?.role) location.replace(document.querySelector("input[name=next]").value);
