// SPDX-License-Identifier: Apache-2.0

// What a program sees that says `import Lake`: the public modules, so that it need not know which
// of them a type lives in.

@_exported public import Arrow
@_exported public import Avro
@_exported public import Bytes
@_exported public import Catalogs
@_exported public import Codecs
@_exported public import Columnar
@_exported public import Expressions
@_exported public import Iceberg
@_exported public import Ingest
@_exported public import Inputs
@_exported public import KeyIndexing
@_exported public import Maintenance
@_exported public import Parquet
@_exported public import ParquetFiles
@_exported public import Scanning
@_exported public import Storage
@_exported public import Writing
