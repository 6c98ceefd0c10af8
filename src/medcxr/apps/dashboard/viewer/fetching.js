// Fetching what a run of the page serves.

// A run that begins takes back what the one before it served, until it serves it again, and no other
// run may follow: what is missing for a moment is asked for once more.
const WAITS_MS = [200, 600, 2000, 5000];

async function fetched(url, signal) {
  for (let tries = 0; ; tries += 1) {
    try {
      // Never into the browser's cache on the disk: it is a radiograph of a patient.
      const reply = await fetch(url, { cache: "no-store", signal });
      if (!reply.ok) throw new Error(`The server answered ${reply.status}.`);
      return reply;
    } catch (error) {
      if (error.name === "AbortError" || tries === WAITS_MS.length) throw error;
    }
    await new Promise((done) => setTimeout(done, WAITS_MS[tries]));
  }
}
