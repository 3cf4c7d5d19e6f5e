import { expect, it } from 'vitest'
import { isVerifierOf } from '../contract/database.ts'
import { newDatabasePassword, scramVerifier, verifierOf } from './database-password.ts'

it('makes the verifier of PostgreSQL as the standard says', () => {
  // RFC 7677, section 3: user "user", password "pencil"
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')

  expect(scramVerifier('pencil', salt)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  )
})

it('makes one for each server, and the one of MariaDB as its function PASSWORD does', () => {
  expect(verifierOf('mariadb', 'mariadb')).toBe('*54958E764CE10E50764C2EECBB71D01F08549980')
  const password = newDatabasePassword()

  expect(isVerifierOf('postgresql', verifierOf('postgresql', password))).toBe(true)
  expect(verifierOf('postgresql', password)).not.toBe(verifierOf('postgresql', password))
})
