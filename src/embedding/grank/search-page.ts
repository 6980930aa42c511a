// The search page of a peer. Titles and tags come from strangers: they are set as text alone.

/** What the page may load: nothing but its own script and the answers of its peer. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The page. */
export const searchPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Search</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; color: #222; background: #fff; }
  form { display: flex; gap: .5rem; }
  input { flex: 1; font: inherit; padding: .4rem .6rem; }
  button { font: inherit; padding: .4rem .8rem; cursor: pointer; }
  ol { padding-left: 1.6rem; }
  li { margin: .5rem 0; }
  li button { border: 0; background: none; padding: 0; color: #0645ad; text-align: left; }
  li.clicked button { color: #6b3fa0; }
  small { color: #666; display: block; }
  @media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818; } li button { color: #8ab4f8; } li.clicked button { color: #c58af9; } small { color: #999; } }
</style>
<h1>Search</h1>
<form role="search"><input name="q" type="search" aria-label="Query" autofocus><button>Search</button></form>
<p id="message" role="status"></p>
<ol id="results"></ol>
<p><small id="status"></small></p>
<script>
  const results = document.querySelector('#results');
  const message = document.querySelector('#message');
  async function ask(path, options) {
    const response = await fetch(path, options);
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error.message);
    return answer;
  }
  function rowOf(query, item) {
    const row = document.createElement('li');
    const title = document.createElement('button');
    const tags = document.createElement('small');
    title.textContent = item.title;
    tags.textContent = item.tags.join(', ');
    title.onclick = async () => {
      const body = JSON.stringify({ query, item: item.id });
      await tell(() => ask('/click', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }));
      row.className = 'clicked';
    };
    row.append(title, tags);
    return row;
  }
  async function tell(action) {
    try { await action(); } catch (error) { message.textContent = error.message; }
    const status = await ask('/status').catch(() => undefined);
    document.querySelector('#status').textContent = status
      ? status.items + ' items here, ' + status.clicks + ' clicks known, ' + status.peers + ' peers' : '';
  }
  document.querySelector('form').onsubmit = (event) => {
    event.preventDefault();
    const query = new FormData(event.target).get('q');
    tell(async () => {
      const answer = await ask('/search?q=' + encodeURIComponent(query));
      results.replaceChildren(...answer.results.map((item) => rowOf(query, item)));
      message.textContent = answer.results.length ? '' : 'Nothing found.';
    });
  };
  tell(async () => {});
</script>
</html>
`;
