namespace StreamLstm.Decoding;

/// <summary>
/// Text whose lines are cut where they exceed a bound, so that whoever reads it needs no more memory than the bound asks
/// for: what is no text may have no line ends at all. Which lines were cut is told.
/// </summary>
/// <param name="inner">The text; not disposed of.</param>
/// <param name="charsMax">Most characters of a line, its end left out. A line that was cut is one longer.</param>
internal sealed class BoundedLines(TextReader inner, int charsMax) : TextReader
{
    private readonly char[] _buffer = new char[4096];
    private readonly Queue<int> _cut = [];
    private int _next;
    private int _end;
    private int _lineChars;
    private int _line = 1;
    private bool _afterReturn;
    private bool _skipsFeed;

    /// <summary>Whether a line up to this one, counted from 1, was cut; asked once, and in order.</summary>
    public bool WasCut(int line)
    {
        bool cut = false;

        while (_cut.TryPeek(out int first) && first <= line)
        {
            _cut.Dequeue();
            cut = true;
        }

        return cut;
    }

    public override int Peek() => Fill() ? _buffer[_next] : -1;

    public override int Read() => Fill() ? _buffer[_next++] : -1;

    public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

    public override int Read(Span<char> buffer) => Fill() ? Take(buffer) : 0;

    public override Task<int> ReadAsync(char[] buffer, int index, int count) => ReadAsync(buffer.AsMemory(index, count)).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<char> buffer, CancellationToken cancellationToken = default) =>
        await FillAsync(cancellationToken) ? Take(buffer.Span) : 0;

    public override async ValueTask<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        if (!await FillAsync(cancellationToken))
        {
            return null;
        }

        var line = new System.Text.StringBuilder();

        do
        {
            ReadOnlySpan<char> rest = _buffer.AsSpan(_next, _end - _next);
            int end = rest.IndexOfAny('\n', '\r');
            line.Append(end < 0 ? rest : rest[..end]);
            _next += end < 0 ? rest.Length : end + 1;

            if (end >= 0)
            {
                // The other half of a line's end is not waited for: it is skipped when it comes.
                _skipsFeed = rest[end] == '\r';
                break;
            }
        }
        while (await FillAsync(cancellationToken));

        return line.ToString();
    }

    private int Take(Span<char> buffer)
    {
        int count = Math.Min(buffer.Length, _end - _next);
        _buffer.AsSpan(_next, count).CopyTo(buffer);
        _next += count;
        return count;
    }

    /// <summary>Whether a character is there to be read.</summary>
    private bool Fill()
    {
        while (IsEmpty())
        {
            int count = inner.Read(_buffer, 0, _buffer.Length);

            if (count == 0)
            {
                return false;
            }

            Keep(count);
        }

        return true;
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        while (IsEmpty())
        {
            int count = await inner.ReadAsync(_buffer.AsMemory(), cancellationToken);

            if (count == 0)
            {
                return false;
            }

            Keep(count);
        }

        return true;
    }

    private bool IsEmpty()
    {
        if (_skipsFeed && _next < _end)
        {
            _skipsFeed = false;
            _next += _buffer[_next] == '\n' ? 1 : 0;
        }

        return _next == _end;
    }

    /// <summary>Leaves out of what was read what is beyond a line's bound.</summary>
    private void Keep(int count)
    {
        _next = 0;
        _end = 0;

        for (int i = 0; i < count; i++)
        {
            char c = _buffer[i];

            if (c is '\n' or '\r')
            {
                _line += c == '\n' && _afterReturn ? 0 : 1;
                _lineChars = 0;
            }
            else if (++_lineChars > charsMax)
            {
                if (_lineChars > charsMax + 1)
                {
                    // Counted no further, so that no length overflows.
                    _lineChars = charsMax + 1;
                    _afterReturn = false;
                    continue;
                }

                _cut.Enqueue(_line);
            }

            _afterReturn = c == '\r';
            _buffer[_end++] = c;
        }
    }
}
