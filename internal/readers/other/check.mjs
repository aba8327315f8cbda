// Reads back what datasync wrote, by hyparquet.
//
//     node check.mjs FOLDER
//
// FOLDER is that of the Go tests, with the exports and want.json.
import assert from 'node:assert'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

const folder = process.argv[2]
const want = JSON.parse(readFileSync(join(folder, 'want.json'), 'utf8'))
const version = JSON.parse(readFileSync(new URL('./node_modules/hyparquet/package.json', import.meta.url), 'utf8')).version

// An instant has microseconds: a Date would have none.
const parsers = { timestampFromMicroseconds: micros => Number(micros), uuidFromBytes: bytes => bytes && uuid(bytes) }
const uuid = bytes => Buffer.from(bytes).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

async function rows (path) {
  const file = await asyncBufferFromFile(path)
  const metadata = await parquetMetadataAsync(file)
  const timestamp = metadata.schema.find(c => c.name === 'timestamp').logical_type
  assert.deepStrictEqual([timestamp.type, timestamp.isAdjustedToUTC, timestamp.unit], ['TIMESTAMP', true, 'MICROS'])
  return parquetReadObjects({ file, metadata, compressors, parsers })
}

const plain = value => value === undefined ? null : typeof value === 'bigint' ? Number(value) : value instanceof Uint8Array ? uuid(value) : value

function compare (what, rows, isLogical) {
  assert.strictEqual(rows.length, want.length, what)
  const byID = new Map(rows.map(row => [plain(row.id), row]))
  assert.strictEqual(byID.size, want.length, what)
  for (const e of want) {
    const row = byID.get(e.id)
    for (const [column, value] of Object.entries(e)) {
      const parsed = isLogical && (column === 'properties' || column === 'extra') && value !== null
      assert.deepStrictEqual(plain(row[column]), parsed ? JSON.parse(value) : value, `${what}: ${column} of ${e.id}`)
    }
    assert.strictEqual(plain(row.batch), 1, what)
  }
  console.log('ok', what)
}

for (const name of ['zstd', 'snappy', 'gzip', 'lz4', 'brotli', 'none', 'logical']) {
  compare(`hyparquet ${version}: ${name}.parquet`, await rows(join(folder, name + '.parquet')), name === 'logical')
}
for (const name of ['hive', 'null', 'increments', 'flat', 'logical']) {
  const all = []
  for (const path of readdirSync(join(folder, name), { recursive: true }).filter(path => path.endsWith('.parquet'))) {
    for (const row of await rows(join(folder, name, path))) {
      for (const step of path.split('/').slice(0, -1)) {
        const [column, value] = step.split('=')
        row[column] = value === '__HIVE_DEFAULT_PARTITION__' ? null : decodeURIComponent(value)
      }
      all.push(row)
    }
  }
  compare(`hyparquet ${version}: ${name}/`, all, name === 'logical')
}
