// SPDX-License-Identifier: Apache-2.0
import Bytes
import XML

/// What S3 and those who speak like it answer.
enum XMLTarget {
  static let all: [FuzzTarget] = [
    FuzzTarget(name: "xml", run: xml, seeds: { documents.map { Buffer(utf8: $0) } })
  ]

  /// Laws: what was read and is written reads the same; a comment behind it changes nothing;
  /// elements are no deeper than they may be.
  static func xml(_ bytes: Buffer) throws(BrokenLaw) {
    guard let root = attempt({ () throws(XMLFailure) in try XMLReader.read(bytes) }) else { return }
    try hold(depth(of: root) <= 32, "elements \(depth(of: root)) deep")
    let written = Buffer(utf8: text(of: root))
    let again = attempt { () throws(XMLFailure) in try XMLReader.read(written) }
    try hold(again == root, "a document that changes when it is read back")
    let longer = Buffer(bytes.array() + Array(" <!-- x --> ".utf8))
    let same = attempt { () throws(XMLFailure) in try XMLReader.read(longer) }
    try hold(same == root, "a comment behind the document changes it")
  }

  private static func depth(of element: XMLElement) -> Int {
    1 + (element.children.map { depth(of: $0) }.max() ?? 0)
  }

  /// Text first: of where it was between the elements nothing is kept. Names have a prefix, as one
  /// that had one may begin as no other does.
  private static func text(of element: XMLElement) -> String {
    "<p:\(element.name)>\(XMLText.escaped(element.text))"
      + element.children.map { text(of: $0) }.joined() + "</p:\(element.name)>"
  }

  private static let documents = [
    "<Error><Code>NoSuchKey</Code><Message>It is &quot;gone&quot;</Message></Error>",
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>true</IsTruncated>
    <Contents><Key>a&amp;b/&#233;&#x1F600;</Key><Size>3</Size><ETag>&quot;e&quot;</ETag></Contents>
    <NextContinuationToken>t</NextContinuationToken></ListBucketResult>
    """,
    "<s3:a b='>' c=\"/>\"><!-- d --><?e f?><![CDATA[<g>&h;]]><i/><j k='l' /></s3:a> <!-- m -->",
    "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    "<DeleteResult><Error><Key>x</Key><Code>AccessDenied</Code></Error></DeleteResult>",
  ]
}
