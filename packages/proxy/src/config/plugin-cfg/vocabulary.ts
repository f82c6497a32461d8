import { didYouMean } from '../suggestion.ts'
import type { Warn } from './warnings.ts'
import type { XmlElement } from './xml.ts'

/** Warns about what nobody knows: elements and attributes of no version of the plug-in. Known ones that mean nothing here pass. */
export function checkVocabulary(element: XmlElement, warn: Warn): void {
  const words = vocabulary[element.name]
  if (words === undefined) return
  for (const [name, { place }] of element.attributes) {
    if (!words.attributes.includes(name))
      warn(place, `${element.name} ${name} is unknown and was ignored${didYouMean(name, words.attributes)}`)
  }
  for (const child of element.children) {
    if (words.children.includes(child.name)) checkVocabulary(child, warn)
    else
      warn(
        child.place,
        `<${child.name}> is unknown in <${element.name}> and was ignored${didYouMean(child.name, words.children)}`,
      )
  }
}

interface Words {
  readonly attributes: readonly string[]
  readonly children: readonly string[]
}

/** Known words; whose children are not told here may contain anything. */
const vocabulary: Readonly<Record<string, Words>> = {
  Config: element(
    `RefreshInterval IgnoreDNSFailures AppServerPortPreference VHostMatchingCompat AcceptAllContent ChunkedResponse
     ResponseChunkSize ASDisableNagle IISDisableNagle IISPluginPriority FIPSEnable SSLConsolidate SSLConsolidatedConfig
     TrustedProxyEnable ConfigHash OS400ConvertQueryStringToJobCCSID SSLPKCSDriver SSLPKCSPassword HTTPMaxHeaders
     UseInsecure StrictSecurity SSLKeepAlive KillWebServerStartUpOnParseErr AutoSecurity AutoSecurityBasicTrust`,
    `Log Property VirtualHostGroup UriGroup ServerCluster ServerGroup Route RequestMetrics TrustedProxyGroup`,
  ),
  VirtualHostGroup: element('Name', 'VirtualHost'),
  VirtualHost: element('Name', ''),
  UriGroup: element('Name', 'Uri'),
  Uri: element('Name AffinityCookie AffinityURLIdentifier', ''),
  ServerCluster: cluster(),
  ServerGroup: cluster(),
  ClusterAddress: server(),
  Server: server(),
  Transport: element(
    `Hostname Port Protocol ConnectionTTL UseProxyProtocol ServerNameIndication KeepAlive FIPSEnable`,
    'Property',
  ),
  PrimaryServers: element('', 'Server'),
  BackupServers: element('', 'Server'),
  Route: element('ServerCluster ServerGroup UriGroup VirtualHostGroup', ''),
}

function cluster(): Words {
  return element(
    `Name LoadBalance RetryInterval IgnoreAffinityRequests RemoveSpecialHeaders CloneSeparatorChange PostSizeLimit
     PostBufferSize ServerIOTimeoutRetry GetDWLMTable ClusterAddress`,
    'Server ClusterAddress PrimaryServers BackupServers Property',
  )
}

function server(): Words {
  return element(
    `Name CloneID LoadBalanceWeight ConnectTimeout ServerIOTimeout MaxConnections WaitForContinue ExtendedHandshake
     wsServerIOTimeout wsServerIdleTimeout ESIEnable`,
    'Transport Property',
  )
}

function element(attributes: string, children: string): Words {
  const words = (text: string) => text.split(/\s+/).filter((word) => word !== '')
  return { attributes: words(attributes), children: words(children) }
}
