using PublicApiGenerator;
using StreamLstm.Detection;
using StreamLstm.Model;

namespace StreamLstm.Tests.Repository;

public sealed class PublicApiTests
{
    [Theory]
    [InlineData(typeof(LstmNetwork))]
    [InlineData(typeof(AnomalyDetector))]
    public void The_public_api_is_the_approved_one(Type inside)
    {
        string name = inside.Assembly.GetName().Name!;
        string received = inside.Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }).ReplaceLineEndings("\n");
        string approved = Path.Combine(AppContext.BaseDirectory, "Repository", "Approved", $"{name}.txt");

        if (!File.Exists(approved) || File.ReadAllText(approved).ReplaceLineEndings("\n") != received)
        {
            string beside = Path.Combine(AppContext.BaseDirectory, $"{name}.received.txt");
            File.WriteAllText(beside, received);
            Assert.Fail($"the public API of {name} changed; if that is meant, copy {beside} to tests/StreamLstm.Tests/Repository/Approved/{name}.txt");
        }
    }
}
