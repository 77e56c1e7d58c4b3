/* oxlint-disable no-restricted-globals, no-restricted-properties -- runs in a browser, where nobody has a Clock */
// The page of Pilotlight: lists functions, calls, deploys and removes them. All paths are relative, so that the gateway may
// stand behind any prefix. What the gateway sends is only ever set as text.

const refreshMs = 2_000
const maxShownBody = 100_000

const byId = (id) => document.getElementById(id)

const state = { functions: [], namespace: '', selected: '' }

const keyOf = ({ name, namespace }) => (namespace ? `${name}.${namespace}` : name)

/** Calls the gateway and returns the answer; throws an Error with its text for a status that is no success. */
async function callGateway(path, init) {
  const answer = await fetch(path, { cache: 'no-store', ...init })
  if (answer.ok) return answer
  const text = (await answer.text()).trim().slice(0, 500)
  throw new Error(`${answer.status} ${answer.statusText}${text === '' ? '' : `: ${text}`}`)
}

function sendJson(method, value) {
  const query = value.namespace ? `?namespace=${encodeURIComponent(value.namespace)}` : ''
  const headers = { 'Content-Type': 'application/json' }
  return callGateway(`../system/functions${query}`, { method, headers, body: JSON.stringify(value) })
}

async function refresh() {
  try {
    const query = state.namespace ? `?namespace=${encodeURIComponent(state.namespace)}` : ''
    const functions = (await (await callGateway(`../system/functions${query}`)).json()) ?? []
    state.functions = functions.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)))
    byId('notice').textContent = ''
  } catch (error) {
    byId('notice').textContent = `The functions cannot be listed: ${error.message}`
  }
  render()
}

function render() {
  const wanted = byId('filter').value.trim().toLowerCase()
  const shown = state.functions.filter((one) => keyOf(one).toLowerCase().includes(wanted))
  const body = byId('functions')
  const focused = body.contains(document.activeElement) ? document.activeElement.textContent : undefined
  body.replaceChildren(...(shown.length > 0 ? shown.map(toRow) : [emptyRow()]))
  if (focused === undefined) return
  for (const button of body.querySelectorAll('button')) if (button.textContent === focused) button.focus()
}

function toRow(one) {
  const row = document.createElement('tr')
  const name = document.createElement('button')
  const key = keyOf(one)
  name.type = 'button'
  name.className = 'name'
  name.textContent = key
  name.addEventListener('click', () => select(key))
  row.setAttribute('aria-selected', String(key === state.selected))
  const first = document.createElement('td')
  first.append(name)
  const replicas = one.replicas ?? 0
  const available = one.availableReplicas ?? 0
  const isReady = available > 0
  row.append(
    first,
    cell(isReady ? 'ready' : replicas > 0 ? 'starting' : 'asleep', isReady ? 'good' : ''),
    cell(replicas.toLocaleString(), 'number'),
    cell(available.toLocaleString(), 'number'),
    cell((one.invocationCount ?? 0).toLocaleString(), 'number'),
    cell(one.image ?? '', 'image'),
  )
  return row
}

function cell(text, className) {
  const element = document.createElement('td')
  element.textContent = text
  element.className = className
  return element
}

function emptyRow() {
  const row = document.createElement('tr')
  const only = cell(state.functions.length === 0 ? 'No functions yet.' : 'No function has this in its name.', '')
  only.colSpan = 6
  row.append(only)
  return row
}

function select(key) {
  state.selected = key
  byId('details').hidden = false
  byId('details-title').textContent = key
  const link = byId('link')
  link.href = `../function/${key}`
  link.textContent = link.href
  showAnswer('', undefined)
  render()
  byId('call').elements.namedItem('body').focus()
}

function showAnswer(summary, body, className = '') {
  const answer = byId('answer')
  answer.textContent = summary
  answer.className = className
  byId('answer-body').hidden = body === undefined
  byId('answer-body').textContent = body ?? ''
}

/** What the fields of a form hold, by name. */
function fieldsOf(form) {
  return Object.fromEntries(
    [...new FormData(form)].map(([name, value]) => [name, typeof value === 'string' ? value : '']),
  )
}

async function callFunction(form) {
  const { method, path, type, body } = fieldsOf(form)
  const hasBody = method !== 'GET' && body !== ''
  const rest = path === '' || /^[/?]/.test(path) ? path : `/${path}`
  const startedAt = performance.now()
  showAnswer('Waiting for the answer ...', undefined)
  try {
    const init = { method, cache: 'no-store', ...(hasBody && { body, headers: { 'Content-Type': type } }) }
    const answer = await fetch(`../function/${state.selected}${rest}`, init)
    const text = await answer.text()
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(3)
    const shown = text.length > maxShownBody ? `${text.slice(0, maxShownBody)}\n... cut here` : text
    showAnswer(`${answer.status} ${answer.statusText} after ${seconds} s`, shown, answer.ok ? 'good' : 'bad')
  } catch (error) {
    showAnswer(`No answer: ${error.message}`, undefined, 'bad')
  }
  await refresh()
}

async function removeSelected() {
  const one = state.functions.find((candidate) => keyOf(candidate) === state.selected)
  if (one === undefined || !confirm(`Remove ${state.selected}?`)) return
  try {
    await sendJson('DELETE', { functionName: one.name, ...(one.namespace && { namespace: one.namespace }) })
    byId('details').hidden = true
    state.selected = ''
    await refresh()
  } catch (error) {
    showAnswer(`Not removed: ${error.message}`, undefined, 'bad')
  }
}

async function deploy(form) {
  const { labels, envProcess, ...deployment } = fieldsOf(form)
  if (envProcess !== '') deployment.envProcess = envProcess
  if (labels !== '') deployment.labels = toLabels(labels)
  if (state.namespace !== '') deployment.namespace = state.namespace
  try {
    await sendJson('POST', deployment)
    byId('deploy').close()
    form.reset()
    await refresh()
  } catch (error) {
    byId('deploy-notice').textContent = error.message
  }
}

function toLabels(text) {
  const pairs = text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      return at === -1 ? [pair, ''] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
    }),
  )
}

/** Offers the namespaces, where the provider has more than one. */
async function loadNamespaces() {
  try {
    const namespaces = await (await callGateway('../system/namespaces')).json()
    if (!Array.isArray(namespaces) || namespaces.length < 2) return
    byId('namespace').replaceChildren(...namespaces.map((name) => new Option(name, name)))
    byId('namespace-choice').hidden = false
    state.namespace = byId('namespace').value
  } catch {
    // A provider without namespaces: the list of functions is all there is to show.
  }
}

function onSubmit(form, action) {
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void action(form)
  })
}

onSubmit(byId('call'), callFunction)
onSubmit(byId('deploy-form'), deploy)
byId('remove').addEventListener('click', () => void removeSelected())
byId('filter').addEventListener('input', render)
byId('close-deploy').addEventListener('click', () => byId('deploy').close())
byId('open-deploy').addEventListener('click', () => {
  byId('deploy-notice').textContent = ''
  byId('deploy').showModal()
})
byId('namespace').addEventListener('change', () => {
  state.namespace = byId('namespace').value
  void refresh()
})

await loadNamespaces()
for (;;) {
  if (document.visibilityState === 'visible') await refresh()
  await new Promise((resolve) => setTimeout(resolve, refreshMs))
}
