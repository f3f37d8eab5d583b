// An OMS on jspurefix: commands as JSON lines on standard input, what happens as JSON lines out.
// node peer.js NODE_MODULES DESCRIPTION.json
'use strict'

const path = require('path')
const readline = require('readline')

const [modules, descriptionFile] = process.argv.slice(2)
const engine = path.join(modules, 'jspurefix')
require(path.join(modules, 'reflect-metadata'))
const { AsciiSession, SessionLauncher, EmptyLogFactory, FixMsgStoreRecord } = require(engine)

const tell = (event, facts = {}) => process.stdout.write(JSON.stringify({ event, ...facts }) + '\n')
let session = null

class Oms extends AsciiSession {
  constructor (config) {
    super(config)
    this.logReceivedMsgs = true
    session = this
  }

  onDecoded (type, text) { tell('in', { type, text }) }

  onEncoded (type, text) { tell('out', { type, text }) }

  onApplicationMsg () {}

  onReady () { tell('ready') }

  onLogon () { return true }

  onStopped (error) { tell('stopped', { error: error ? String(error.message) : '' }) }

  act (command) {
    switch (command.do) {
      case 'send':
        return this.send(command.type, command.body, (error, sent) => {
          if (error) return tell('failed', { error: String(error) })
          // The engine asks this store, which is ours to fill, for what it is to send again.
          this.store.put(new FixMsgStoreRecord(command.type, new Date(), sent.header.MsgSeqNum, command.body))
        })
      case 'skip': // as if messages had been lost on the way: the next one leaves a gap
        this.transport.transmitter.msgSeqNum += command.count
        return
      case 'logout':
        return this.done()
      case 'cut': // as if the line were dead: no Logout
        return this.transport.duplex.readable.destroy()
    }
  }
}

class Launcher extends SessionLauncher {
  constructor (description) {
    super(description, null, new EmptyLogFactory())
  }

  makeFactory () { return { makeSession: config => new Oms(config) } }
}

// Dates of a body come as text; the encoder wants Date for UTCTimestamp.
const revive = (_, value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : value

readline.createInterface({ input: process.stdin })
  .on('line', line => session.act(JSON.parse(line, revive)))
  .on('close', () => process.exit(0))

new Launcher(require(path.resolve(descriptionFile))).run()
  // Its store writes behind: what is not on disk yet would be forgotten.
  .then(() => setTimeout(() => { tell('ended'); process.exit(0) }, 500))
  .catch(error => { tell('failed', { error: String(error.stack ?? error) }); process.exit(1) })
