// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Testing
import XML

@Suite("XML")
struct XMLReaderTests {
  private func read(_ text: String) throws -> XMLElement {
    try XMLReader.read(Buffer(utf8: text))
  }

  @Test func `elements, text, references and attributes are read`() throws {
    let root = try read(
      """
      \u{feff}<?xml version="1.0" encoding="UTF-8"?>
      <!-- a comment -->
      <s3:List xmlns="http://s3.amazonaws.com/doc/2006-03-01/" a='>'>
        <Key>a&amp;b&lt;c&gt;&quot;&apos;&#233;&#x1F600;</Key>
        <Empty/><Empty a="/>" />
        <Nested><Deep><![CDATA[<not> an &element;]]></Deep></Nested>
      </s3:List>
      """)
    #expect(root.name == "List")
    #expect(root.text(of: "Key") == "a&b<c>\"'é😀")
    #expect(root.all("Empty").count == 2)
    #expect(root.child("Nested")?.text(of: "Deep") == "<not> an &element;")
  }

  @Test(arguments: [
    "", "text", "<a>", "<a></b>", "<a/><b/>", "<a/>x", "<a b></a>", "<a b=c></a>", "<a>&foo;</a>",
    "<a>&#0;</a>", "<a>\0</a>", "<a>&#xD800;</a>", "<a>&#1114112;</a>", "<a>&amp</a>", "<a", "</a>",
    "<1/>",
    "<a><!-- </a>", "<a><![CDATA[</a>", "<a>&;</a>", "<a>&#;</a>", "<a>&#-1;</a>",
    #"<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>"#, #"<a><!ENTITY b "c"></a>"#,
    String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100),
  ])
  func `what is no plain document is refused`(text: String) {
    #expect(throws: XMLFailure.self) { try read(text) }
  }

  @Test func `bytes that are not UTF-8 are refused`() {
    #expect(throws: XMLFailure.self) {
      try XMLReader.read(Buffer(Array("<a>".utf8) + [0xff, 0xfe] + Array("</a>".utf8)))
    }
  }

  @Test func `a document of too many elements or bytes is refused`() {
    #expect(throws: XMLFailure.self) {
      try read("<a>" + String(repeating: "<b/>", count: 200_001) + "</a>")
    }
    #expect(throws: XMLFailure.self) {
      try read("<a>" + String(repeating: " ", count: XMLReader.byteCountLimit) + "</a>")
    }
  }

  @Test func `no bytes trap`() {
    let random = SeededRandom(printing: "random XML")
    let pieces = [
      "<", ">", "/", "a", "&", ";", "#", "x", "\"", "'", "=", " ", "!--", "-->", "![CDATA[", "]]>",
      "?", "&amp;", "<a>", "</a>", "<Key>", "é", "\u{0}", ":", "1",
    ]
    for _ in 0..<20_000 {
      var bytes: [UInt8] = []
      for _ in 0..<random.int(in: 0..<40) {
        bytes += Array(pieces[random.int(in: 0..<pieces.count)].utf8)
        if random.oneIn(20) { bytes.append(UInt8(random.int(in: 0..<256))) }
      }
      _ = try? XMLReader.read(Buffer(bytes))
    }
  }

  @Test func `every truncation of a document is refused`() throws {
    let bytes = Array(#"<a b="c"><d>&amp;<![CDATA[x]]></d><!-- e --><f/></a>"#.utf8)
    for end in 0..<bytes.count {
      #expect(throws: XMLFailure.self, "\(end) bytes") {
        try XMLReader.read(Buffer(Array(bytes[..<end])))
      }
    }
    _ = try XMLReader.read(Buffer(bytes))
  }

  @Test(arguments: ["a\"b", "<&>", "line\nfeed", "plain", "é😀", ""])
  func `text that is escaped is read back`(text: String) throws {
    #expect(try read("<a>\(XMLText.escaped(text))</a>").text == text)
  }
}
