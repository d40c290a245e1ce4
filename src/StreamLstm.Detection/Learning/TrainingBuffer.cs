namespace StreamLstm.Detection.Learning;

/// <summary>Recent clean windows of a shard's streams: a newcomer replaces a random one, so that old ones fade.</summary>
internal sealed class TrainingBuffer(int capacity)
{
    private readonly List<TrainingWindow> _windows = [];

    public IReadOnlyList<TrainingWindow> Windows => _windows;

    public void Add(TrainingWindow window, ref SeededRandom random)
    {
        if (_windows.Count < capacity)
        {
            _windows.Add(window);
        }
        else if (capacity > 0)
        {
            _windows[random.Next(capacity)] = window;
        }
    }
}
