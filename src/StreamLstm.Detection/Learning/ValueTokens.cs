namespace StreamLstm.Detection.Learning;

/// <summary>A value as the network is told it.</summary>
/// <param name="Value">The value.</param>
/// <param name="Rank">Its rank among the stream's values, three times from -0.5 to 0.5.</param>
/// <param name="Bin">The bin it is in.</param>
internal readonly record struct ValueToken(double Value, float Rank, int Bin);

/// <summary>What the values of a stream's rows are, while one of its windows is laid out: each row is asked of by up to nine others.</summary>
/// <remarks>A row has one place only, so a row 256 away may take it: then it is looked up again.</remarks>
internal sealed class ValueTokens
{
    private const int Places = 256;

    private readonly (long Row, long Asked)[] _of = new (long, long)[Places];
    private readonly ValueToken[] _tokens = new ValueToken[Places];
    private long _asked;

    /// <summary>Forgets all: it is another stream's turn, or its ranks have moved.</summary>
    public void Begin() => _asked++;

    /// <summary>What is known of a row; null where it is not.</summary>
    public ValueToken? Find(long row) => _of[row % Places] == (row, _asked) ? _tokens[row % Places] : null;

    public void Add(long row, in ValueToken token) => (_of[row % Places], _tokens[row % Places]) = ((row, _asked), token);
}
