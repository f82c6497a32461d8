import { ScriptedApp } from './scripted-app.ts'

const [id = '', port] = process.argv.slice(2)
const app = await ScriptedApp.start(id, Number(port))
process.stdout.write(`${app.port}`)
