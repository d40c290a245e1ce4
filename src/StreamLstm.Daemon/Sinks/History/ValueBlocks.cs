using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace StreamLstm.Daemon.Sinks.History;

/// <summary>Roll-ups in the history's file: a row for each stream and block of 60 stretches, and one for each odd minute of a stream.</summary>
/// <remarks>
/// A row's key is its level, its block's number and its stream's, in this order: what is written together lies together, and what is oldest is one
/// range at the front. Bounded in bytes: each level has its share, and lets go of its oldest blocks; so the finest level reaches back least.
/// </remarks>
internal static class ValueBlocks
{
    /// <summary>A minute's key is the minute times this, and the stream's number.</summary>
    public const long OddStreams = 1L << 30;

    private const int StreamBits = 31;
    private const int LevelShift = 60;
    private const int OddBytes = 16;
    private const int RowsAtOnce = 5_000;

    /// <summary>Shares of the bytes: of the levels, and of odd minutes.</summary>
    private static readonly double[] Shares = [0.60, 0.25, 0.10];
    private const double OddShare = 0.05;

    public static long LengthOf(int level) => RollUps.Steps[level] * RollUpBlock.Length;

    public static long Key(int level, long block, long stream) => ((long)level << LevelShift) | (block << StreamBits) | stream;

    public static long OddKey(long minute, long stream) => (minute * OddStreams) + stream;

    /// <summary>Writes some streams' stretches; blocks that are begun already are gone on with.</summary>
    /// <param name="connection">The file.</param>
    /// <param name="transaction">What it is part of.</param>
    /// <param name="streams">Stretches of the finest level that are not in the file yet.</param>
    /// <param name="position">The place in the journal up to which they are all there is of these streams; stands with their names.</param>
    public static void Write(SqliteConnection connection, SqliteTransaction transaction, IReadOnlyDictionary<string, List<RollUp>> streams, long position)
    {
        using var name = new Prepared(
            connection, transaction,
            "INSERT INTO stream_name (name, last, position) VALUES ($a, $b, $c) ON CONFLICT (name) DO UPDATE SET last = MAX(last, $b), position = $c RETURNING id");
        using var held = new Prepared(connection, transaction, "SELECT stretches FROM value_block WHERE id = $a");
        using var put = new Prepared(connection, transaction, "INSERT OR REPLACE INTO value_block (id, stretches) VALUES ($a, $b)");
        using var span = new Prepared(connection, transaction, "INSERT INTO value_span (level, block, bytes) VALUES ($a, $b, $c) ON CONFLICT (level, block) DO UPDATE SET bytes = bytes + $c");
        List<(long Id, List<RollUp> Finest)> named = [.. streams.Select(pair => ((long)name.Ask(pair.Key, LastOf(pair.Value), position)!, pair.Value))];
        named.Sort((a, b) => a.Id.CompareTo(b.Id));
        Dictionary<(int Level, long Block), long> grown = [];
        List<RollUp> raised = [];
        List<(long Block, long Stream, int From, int To)> rows = [];

        for (int level = 0; level < RollUps.Steps.Count; level++)
        {
            long length = LengthOf(level);
            raised.Clear();
            rows.Clear();

            foreach ((long stream, List<RollUp> finest) in named)
            {
                int from = raised.Count;
                RollUps.Raise(finest, level, raised);

                for (int at = from + 1; at <= raised.Count; at++)
                {
                    if (at == raised.Count || raised[at].Start / length != raised[from].Start / length)
                    {
                        rows.Add((raised[from].Start / length, stream, from, at));
                        from = at;
                    }
                }
            }

            // By block, then stream: what lies together is written together.
            rows.Sort((one, other) => one.Block != other.Block ? one.Block.CompareTo(other.Block) : one.Stream.CompareTo(other.Stream));

            foreach ((long block, long stream, int from, int to) in rows)
            {
                long key = Key(level, block, stream);
                ReadOnlySpan<RollUp> stretches = CollectionsMarshal.AsSpan(raised)[from..to];
                var before = held.Ask(key) as byte[];

                if (before is not null)
                {
                    stretches = CollectionsMarshal.AsSpan(RollUpBlock.Merge(RollUpBlock.Decode(before, block * length, RollUps.Steps[level]), stretches));
                }

                byte[] bytes = RollUpBlock.Encode(stretches, RollUps.Steps[level]);
                put.Run(key, bytes);
                CollectionsMarshal.GetValueRefOrAddDefault(grown, (level, block), out _) += bytes.Length - (before?.Length ?? 0);
            }
        }

        foreach (((int level, long block), long bytes) in grown)
        {
            span.Run((long)level, block, bytes);
        }

        // As a stretch of the coarsest level begins: so long a name stays at least.
        static long LastOf(List<RollUp> finest) => finest.Max(one => one.Start) / RollUps.Steps[^1] * RollUps.Steps[^1];
    }

    /// <summary>Writes odd minutes of streams that have a name in the file.</summary>
    public static void Write(SqliteConnection connection, SqliteTransaction transaction, IReadOnlyList<OddMinute> odd)
    {
        using var minute = new Prepared(
            connection, transaction,
            $"INSERT INTO odd_minute (id, score) SELECT ($a * {OddStreams}) + id, $c FROM stream_name WHERE name = $b ON CONFLICT (id) DO UPDATE SET score = MAX(score, $c)");

        foreach (OddMinute one in odd)
        {
            minute.Run(one.Minute, one.Stream, (long)Math.Round(one.Score));
        }
    }

    /// <summary>Lets go of the oldest blocks of each level until all of them together fit, and of names of which nothing is left.</summary>
    /// <param name="connection">The file.</param>
    /// <param name="transaction">What it is part of.</param>
    /// <param name="bytesMax">How many bytes of blocks there may be.</param>
    /// <returns>Whether they fit now: where a block is of very many streams it goes some of them at a time, so that others get their turn between.</returns>
    public static bool Bound(SqliteConnection connection, SqliteTransaction transaction, long bytesMax)
    {
        using var spans = new Prepared(connection, transaction, "SELECT COALESCE(SUM(bytes), 0) FROM value_span WHERE level = $a");
        using var oldest = new Prepared(connection, transaction, "SELECT block FROM value_span WHERE level = $a ORDER BY block LIMIT 1");
        using var size = new Prepared(connection, transaction, "SELECT bytes FROM value_span WHERE level = $a AND block = $b");
        using var rows = new Prepared(connection, transaction, "DELETE FROM value_block WHERE id IN (SELECT id FROM value_block WHERE id >= $a AND id < $b LIMIT $c)");
        using var gone = new Prepared(connection, transaction, "DELETE FROM value_span WHERE level = $a AND block = $b");

        long left = RowsAtOnce;

        for (long level = 0; level < Shares.Length; level++)
        {
            for (long bytes = (long)spans.Ask(level)!; bytes > Shares[level] * bytesMax && oldest.Ask(level) is long block;)
            {
                left -= rows.Run(Key((int)level, block, 0), Key((int)level, block + 1, 0), left);

                if (left == 0)
                {
                    return false;
                }

                bytes -= (long)size.Ask(level, block)!;
                gone.Run(level, block);
            }
        }

        using var trim = new Prepared(
            connection, transaction,
            "DELETE FROM odd_minute WHERE id < (SELECT id FROM odd_minute ORDER BY id DESC LIMIT 1 OFFSET $a)");
        trim.Run((long)(OddShare * bytesMax / OddBytes));

        if (oldest.Ask((long)Shares.Length - 1) is long first)
        {
            using var names = new Prepared(connection, transaction, "DELETE FROM stream_name WHERE last < $a");
            names.Run(first * LengthOf(Shares.Length - 1));
        }

        return true;
    }

    /// <summary>Takes out a stream that was deleted.</summary>
    public static void Remove(SqliteConnection connection, SqliteTransaction transaction, string stream)
    {
        using var id = new Prepared(connection, transaction, "SELECT id FROM stream_name WHERE name = $a");

        if (id.Ask(stream) is not long number)
        {
            return;
        }

        using var blocks = new Prepared(
            connection, transaction, $"DELETE FROM value_block WHERE id IN (SELECT (level << {LevelShift}) | (block << {StreamBits}) | $a FROM value_span)");
        blocks.Run(number);
        using var odd = new Prepared(connection, transaction, $"DELETE FROM odd_minute WHERE id % {OddStreams} = $a");
        odd.Run(number);
        using var name = new Prepared(connection, transaction, "DELETE FROM stream_name WHERE id = $a");
        name.Run(number);
    }

    /// <summary>A statement that is asked again and again, its parameters $a, $b, $c.</summary>
    private sealed class Prepared : IDisposable
    {
        private readonly SqliteCommand _command;

        public Prepared(SqliteConnection connection, SqliteTransaction transaction, string sql)
        {
            _command = connection.CreateCommand();
            (_command.CommandText, _command.Transaction) = (sql, transaction);
        }

        public object? Ask(params ReadOnlySpan<object> values) => With(values).ExecuteScalar();

        public int Run(params ReadOnlySpan<object> values) => With(values).ExecuteNonQuery();

        public void Dispose() => _command.Dispose();

        private SqliteCommand With(ReadOnlySpan<object> values)
        {
            for (int i = 0; i < values.Length; i++)
            {
                string parameter = $"${(char)('a' + i)}";

                if (_command.Parameters.Count <= i)
                {
                    _command.Parameters.AddWithValue(parameter, values[i]);
                }
                else
                {
                    _command.Parameters[i].Value = values[i];
                }
            }

            return _command;
        }
    }
}
